//! Errors of the scenario parser: the position, what was expected, and what was found.

use ringstorm::scenario::Document;

const HEAD: &str = "ringstorm scenario 1\nqueue size=8 buffer=64\n";
const KEYS: &str =
    "one of size=, buffer=, first-index=, features=, after-fault=, over-long=, writable=, ending=";
const SUBMIT: &str = "`readable=`, `writable=` or `times=`";
const ROUNDS: &str = "a number from 1 to 131072";
const FIRST: &str = "one of driver, device, settle, rounds, idle, expect";
const DRIVER: &str = "one of submit, prepare, write, publish, take, collect, read, free, reset, misuse, interrupts, memory-fails, withdraw, delay-interrupts, take-back, interrupt-arrives";
const DEVICE: &str = "one of take, return, notifications, event, fault";
const PICK: &str = "newest, oldest, or oldest+1 to oldest+254";
const BUFFERS: &str = "buffers like 2x5, 2x5..7, 2xfull, 2xover or 2xhuge";
const SIZE: &str = "a power of two from 1 to 32768";
const MEMORY: &str = "size times buffer to be at most 134217728 bytes";
const AMOUNT: &str = "`full` or a number from 0 to 4294967295";
const OUTCOME: &str = "one of pass, violation INVARIANT, panic, stuck, died";
const END: &str = "the end of the line";
const CUT: &str = "a line break, because without it the file may be cut off";

#[track_caller]
fn refused(text: &str, line: usize, column: usize, expected: &str, found: &str) {
    let error = text.parse::<Document>().expect_err(text);
    let message = format!("line {line}, column {column}: expected {expected}, found {found}");
    assert_eq!(error.to_string(), message, "for {text:?}");
}

/// Invalid setup lines, each with its error.
#[test]
fn setups() {
    let table = [
        ("queue", 6, "`size=`", "the end of the line"),
        ("queue buffer=64", 16, "`size=`", "the end of the line"),
        ("queue size=0", 12, SIZE, "\"0\""),
        ("queue size=3", 12, SIZE, "\"3\""),
        ("queue size=65536", 12, SIZE, "\"65536\""),
        ("queue size=-1", 12, SIZE, "\"-1\""),
        ("queue size=+1", 12, SIZE, "\"+1\""),
        ("queue size=abc", 12, SIZE, "\"abc\""),
        ("queue size=", 12, SIZE, "nothing"),
        ("queue size=18446744073709551616", 12, SIZE, "\"18446744073709551616\""),
        ("queue size=0x", 12, SIZE, "\"0x\""),
        ("queue size=8 buffer=0", 21, "a number from 1 to 65535", "\"0\""),
        ("queue size=8 buffer=65536", 21, "a number from 1 to 65535", "\"65536\""),
        ("queue size=32768 buffer=65535", 25, MEMORY, "\"65535\""),
        ("queue size=32768 buffer=4097", 25, MEMORY, "\"4097\""),
        ("queue buffer=65535 size=32768", 25, MEMORY, "\"32768\""),
        ("queue size=8 first-index=65536", 26, "a number from 0 to 65535", "\"65536\""),
        ("queue size=8 first-index=0x10000", 26, "a number from 0 to 65535", "\"0x10000\""),
        ("queue size=8 first-index=0xfg", 26, "a number from 0 to 65535", "\"0xfg\""),
        ("queue size=8 color=red", 14, KEYS, "\"color=red\""),
        ("queue size=8 buffer", 14, KEYS, "\"buffer\""),
        ("queue size=8 size=8", 14, "`size=` only once", "\"size=8\""),
        ("queue size=8 after-fault=explode", 26, "one of broken, go-on", "\"explode\""),
        ("queue size=8 over-long=cut", 24, "one of clamp, refuse", "\"cut\""),
        ("queue size=8 writable=dirty", 23, "one of as-they-are, zeroed", "\"dirty\""),
        ("queue size=8 ending=badly", 21, "one of released, dropped", "\"badly\""),
        ("driver take", 1, "`queue size=... buffer=...`", "\"driver\""),
        ("expect core pass", 1, "`queue size=... buffer=...`", "\"expect\""),
    ];
    for (line, column, expected, found) in table {
        refused(&format!("ringstorm scenario 1\n{line}\n"), 2, column, expected, found);
    }
    "ringstorm scenario 1\nqueue size=32768 buffer=4096\n".parse::<Document>().expect("within the limit");
}

/// Invalid lines after a valid setup, each with its error.
#[test]
fn lines() {
    let table = [
        ("queue size=8", 1, FIRST, "\"queue\""),
        ("dance", 1, FIRST, "\"dance\""),
        ("driver", 7, DRIVER, "the end of the line"),
        ("driver dance", 8, DRIVER, "\"dance\""),
        ("driver return", 8, DRIVER, "\"return\""),
        ("device", 7, DEVICE, "the end of the line"),
        ("device submit", 8, DEVICE, "\"submit\""),
        ("device fault", 13, "the name of a fault", "the end of the line"),
        (
            "device fault duplicated-id newest",
            14,
            "the name of a fault (did you mean duplicate-id, truncated-id or indirect-flipped?)",
            "\"duplicated-id\"",
        ),
        ("device fault free-id", 21, PICK, "the end of the line"),
        ("device fault free-id newest lie=1", 29, "`value=`", "\"lie=1\""),
        (
            "device fault free-id newest value=4294967296",
            35,
            "a number from 0 to 4294967295",
            "\"4294967296\"",
        ),
        (
            "device fault free-id newest value=0x100000000",
            35,
            "a number from 0 to 4294967295",
            "\"0x100000000\"",
        ),
        ("device fault free-id newest value=1 value=1", 37, END, "\"value=1\""),
        ("idle now", 6, END, "\"now\""),
        ("settle down", 8, END, "\"down\""),
        ("driver take newest", 13, END, "\"newest\""),
        ("driver free", 12, PICK, "the end of the line"),
        ("driver free first", 13, PICK, "\"first\""),
        ("driver free oldest+0", 20, "a number from 1 to 254", "\"0\""),
        ("driver free oldest+255", 20, "a number from 1 to 254", "\"255\""),
        ("driver free oldest+", 20, "a number from 1 to 254", "nothing"),
        ("driver free newest newest", 20, END, "\"newest\""),
        ("driver read newest limit=some", 26, AMOUNT, "\"some\""),
        ("driver read newest limit=4294967296", 26, AMOUNT, "\"4294967296\""),
        ("driver read newest most=1", 20, "`limit=`", "\"most=1\""),
        ("driver misuse", 14, "a call: free, read or withdraw", "the end of the line"),
        ("driver misuse take far newest", 15, "one of free, read, withdraw", "\"take\""),
        ("driver misuse free", 19, "a kind of handle that the call must refuse", "the end of the line"),
        (
            "driver misuse free near newest",
            20,
            "one of out-of-range, far, free-descriptor, mid-chain, stale, in-flight, returned",
            "\"near\"",
        ),
        ("driver memory-fails", 20, "`after=`", "the end of the line"),
        ("driver memory-fails before=1", 21, "`after=`", "\"before=1\""),
        ("driver memory-fails after=65536", 27, "a number from 0 to 65535", "\"65536\""),
        ("driver withdraw", 16, PICK, "the end of the line"),
        ("driver take-back alive", 18, "live or the end of the line", "\"alive\""),
        ("driver interrupts", 18, "on or off", "the end of the line"),
        ("device notifications maybe", 22, "on or off", "\"maybe\""),
        ("device take count=0", 19, "a number from 1 to 255", "\"0\""),
        ("device take count=256", 19, "a number from 1 to 255", "\"256\""),
        ("device take 3", 13, "`count=`", "\"3\""),
        ("device take number=3", 13, "`count=`", "\"number=3\""),
        ("device return", 14, PICK, "the end of the line"),
        ("device return newest written=-1", 30, AMOUNT, "\"-1\""),
        ("device return newest count=0", 28, "a number from 1 to 255", "\"0\""),
        ("device return newest beyond beyond", 29, "`written=`, `count=` or `beyond`", "\"beyond\""),
        ("device return newest count=1 count=1", 30, "`count=` only once", "\"count=1\""),
        ("driver submit 2x5", 15, SUBMIT, "\"2x5\""),
        ("driver submit times=0", 21, "a number from 1 to 65535", "\"0\""),
        ("driver submit times=2 times=2", 23, "`times=` only once", "\"times=2\""),
        ("driver prepare times=2", 16, "`readable=` or `writable=`", "\"times=2\""),
        ("driver times", 8, DRIVER, "\"times\""),
        ("rounds", 7, ROUNDS, "the end of the line"),
        ("rounds 0", 8, ROUNDS, "\"0\""),
        ("rounds 131073", 8, ROUNDS, "\"131073\""),
        ("driver submit reads=2x5", 15, SUBMIT, "\"reads=2x5\""),
        ("driver submit readable=2x5 readable=2x5", 28, "`readable=` only once", "\"readable=2x5\""),
        ("driver submit readable=5", 24, BUFFERS, "\"5\""),
        ("driver submit readable=2xlong", 26, BUFFERS, "\"long\""),
        ("driver submit readable=2x", 26, BUFFERS, "nothing"),
        ("driver submit readable=2x65536", 26, BUFFERS, "\"65536\""),
        ("driver submit readable=131073x1", 24, "a number from 0 to 131072", "\"131073\""),
        ("driver submit readable=2x7..5", 29, "a number from 7 to 65535", "\"5\""),
        ("driver submit readable=2x7..", 29, "a number from 7 to 65535", "nothing"),
        ("driver submit readable=2x7..65536", 29, "a number from 7 to 65535", "\"65536\""),
        ("driver submit readable=2xa..5", 26, "a number from 0 to 65535", "\"a\""),
        ("expect", 7, "the name of a subject", "the end of the line"),
        ("expect core", 12, OUTCOME, "the end of the line"),
        ("expect core glory", 13, OUTCOME, "\"glory\""),
        ("expect core violation", 22, "the name of an invariant", "the end of the line"),
        (
            "expect core violation free-counts",
            23,
            "the name of an invariant (did you mean free-count, fetched-once or reset-recovers?)",
            "\"free-counts\"",
        ),
        ("expect core pass always", 18, END, "\"always\""),
    ];
    for (line, column, expected, found) in table {
        refused(&format!("{HEAD}{line}\n"), 3, column, expected, found);
    }
}

#[test]
fn whole_files() {
    let version = "`ringstorm scenario 1` as the first line";
    refused("", 1, 1, version, "the end of the file");
    refused("\n", 1, 1, version, "the end of the line");
    refused("ringstorm scenario 2\nqueue size=8\n", 1, 1, version, "\"ringstorm scenario 2\"");
    refused("ringstorm scenario 11\n", 1, 1, version, "\"ringstorm scenario 11\"");
    refused(" ringstorm scenario 1\n", 1, 1, version, "\" ringstorm scenario 1\"");
    refused("\u{feff}ringstorm scenario 1\n", 1, 1, version, "\"\\u{feff}ringstorm scenario 1\"");
    refused(&"y".repeat(500), 1, 1, version, &format!("{:?}", "y".repeat(60)));
    refused("ringstorm scenario 1\n", 2, 1, "`queue size=... buffer=...`", "the end of the file");
    refused(
        "ringstorm scenario 1\n# only this\n\n",
        4,
        1,
        "`queue size=... buffer=...`",
        "the end of the file",
    );
    refused(
        &format!("{HEAD}expect core pass\nidle\n"),
        4,
        1,
        "`expect` or the end of the file, because all steps come before the first `expect`",
        "\"idle\"",
    );
    refused(&format!("{HEAD}\n\n# fine\n\ndance\n"), 7, 1, FIRST, "\"dance\"");
}

#[test]
fn files_that_are_cut_off() {
    refused("ringstorm scenario 1", 1, 21, CUT, "the end of the file");
    refused(HEAD.trim_end(), 2, 23, CUT, "the end of the file");
    refused(&format!("{HEAD}driver take"), 3, 12, CUT, "the end of the file");
    refused(&format!("{HEAD}# note"), 3, 7, CUT, "the end of the file");
    // A carriage return alone does not end a line.
    refused(&format!("{HEAD}driver take\r"), 3, 12, CUT, "the end of the file");
    // A file that is cut anywhere is refused, unless only complete lines are missing.
    let whole = format!(
        "{HEAD}driver submit readable=2x5..7\ndevice fault free-id newest value=12\nexpect core pass\n"
    );
    for end in 0..whole.len() {
        let outcome = whole[..end].parse::<Document>();
        assert_eq!(outcome.is_ok(), end >= HEAD.len() && whole[..end].ends_with('\n'), "{:?}", &whole[..end]);
    }
}

#[test]
fn columns_count_characters() {
    refused(&format!("{HEAD}\t driver\tdance\n"), 3, 10, DRIVER, "\"dance\"");
    refused(&format!("{HEAD}driver grüß\n"), 3, 8, DRIVER, "\"grüß\"");
    refused(&format!("{HEAD}expect äöü glory\n"), 3, 12, OUTCOME, "\"glory\"");
    refused(
        &format!("{HEAD}expect 環嵐 violation 違反\n"),
        3,
        21,
        "the name of an invariant (did you mean free-count, no-double-use or acyclic?)",
        "\"違反\"",
    );
    refused(&format!("{HEAD}driver free\u{a0}first\n"), 3, 13, PICK, "\"first\"");
    refused(&format!("{HEAD}driver submit größe=1x1\n"), 3, 15, SUBMIT, "\"größe=1x1\"");
    refused(&format!("{HEAD}driver submit readable=ö\n"), 3, 24, BUFFERS, "\"ö\"");
    refused(&format!("{HEAD}dance\r\n"), 3, 1, FIRST, "\"dance\"");
}

#[test]
fn white_space_and_line_breaks_do_not_matter() {
    let plain = format!("{HEAD}driver submit readable=2x5 writable=1xfull\nexpect core pass\n");
    let expected: Document = plain.parse().expect("a good file");
    for same in [
        plain.replace('\n', "\r\n"),
        plain.replace("driver ", "\t driver \t").replace("expect", "   expect"),
        plain.replace("pass\n", "pass  \n\n \t\n"),
        plain.replace("size=8 buffer=64", "buffer=0x40 size=0x8"),
        plain.replace("driver", "# after the setup\ndriver"),
    ] {
        assert_eq!(same.parse::<Document>().as_ref(), Ok(&expected), "{same:?}");
    }
}
