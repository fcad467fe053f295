//! What to keep of the output of a child process.

/// The most bytes of the last words.
const LAST_BYTES: usize = 400;
/// The most lines of a sanitizer's report, and the most bytes. Its first lines name the defect and where it is.
const REPORT_LINES: usize = 12;
const REPORT_BYTES: usize = 1_600;

/// The first lines of a sanitizer's report, if there is one; else the end of the output, in one line.
pub(super) fn last_output(output: &[u8]) -> Option<String> {
    let kept = report(output).unwrap_or_else(|| {
        let last = &output[output.len().saturating_sub(LAST_BYTES)..];
        String::from_utf8_lossy(last).trim().replace(['\n', '\r'], " ")
    });
    Some(kept).filter(|kept| !kept.is_empty())
}

fn report(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    let begins = |line: &&str| {
        line.contains("runtime error: ")
            || line.contains("Sanitizer: ") && (line.contains("ERROR: ") || line.contains("WARNING: "))
    };
    let mut lines = text.lines().skip_while(|line| !begins(line)).take(REPORT_LINES).peekable();
    lines.peek()?;
    let mut kept = String::new();
    for line in lines {
        if kept.len() + line.len() > REPORT_BYTES {
            kept.extend(line.chars().take(REPORT_BYTES.saturating_sub(kept.len())));
            break;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    Some(kept.trim_end().to_owned())
}
