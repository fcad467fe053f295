//! Where results go: standard output, and files that are there as a whole or not at all.

use super::error::CliError;
use crate::report::visible;
use serde::Serialize;
use std::error::Error;
use std::io::{self, Write};
use std::path::Path;

/// Writes to standard output. That nobody reads it any more is no error: what is found is said by the exit status too.
pub(super) fn emit(text: &str) -> Result<(), CliError> {
    emit_bytes(text.as_bytes())
}

/// Writes bytes to standard output.
pub(super) fn emit_bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(CliError::Input(format!("standard output: {error}"))),
    }
}

/// A value as JSON, for people too.
pub(super) fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("a report has only string keys");
    text.push('\n');
    text
}

/// Writes a note to standard error. If that is closed or full, nobody is there to be told. What a file or a subject said may
/// be in it, and must not steer the terminal.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", visible(text));
}

/// An error of the operating system in its own words, without the name of a temporary file.
fn plain(error: io::Error) -> io::Error {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if let Some(code) = inner.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return io::Error::from_raw_os_error(code);
        }
        cause = inner.source();
    }
    // Where the library that makes temporary files keeps the cause to itself, its words are the system's, and then the name.
    match error.to_string().split_once(" at path ") {
        Some((system, _)) => io::Error::other(system.to_owned()),
        None => error,
    }
}

/// What a file is called until it is in its place.
const TEMPORARY: &str = ".ringstorm-tmp-";

/// Removes files that were never moved to their place, since whoever wrote them was killed. Only for a folder that nobody
/// else writes to.
pub(super) fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Makes what was renamed or removed in a folder outlast a loss of power, where a folder can be opened.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { std::fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Writes a file beside its place and moves it there, so that nobody ever sees half of it. What is no regular
/// file, such as a device or a pipe, is written to as it is; a link stays one.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let existing = std::fs::metadata(&target).ok();
        if existing.as_ref().is_some_and(|existing| !existing.is_file()) {
            return std::fs::OpenOptions::new().write(true).open(&target)?.write_all(bytes);
        }
        let mut builder = tempfile::Builder::new();
        // What others may read is for the umask to say, as with any file, or for the file that was there.
        #[cfg(unix)]
        let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.prefix(TEMPORARY).tempfile_in(folder)?;
        if let Some(existing) = existing {
            file.as_file().set_permissions(existing.permissions())?;
        }
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(&target)?;
        sync_folder(folder)
    };
    write().map_err(|error| CliError::Input(format!("{}: {}", path.display(), plain(error))))
}

/// Makes a folder for results, and makes sure that it can be written to before work begins.
pub(super) fn prepare_folder(folder: &Path) -> Result<(), CliError> {
    let refuse = |error: io::Error| CliError::Input(format!("{}: {}", folder.display(), plain(error)));
    std::fs::create_dir_all(folder).map_err(refuse)?;
    tempfile::tempfile_in(folder).map_err(refuse)?;
    Ok(())
}
