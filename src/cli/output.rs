//! Writes results: to standard output, and to files, each as a whole or not at all.

use super::error::CliError;
use crate::report::visible;
use serde::Serialize;
use std::error::Error;
use std::io::{self, Write};
use std::path::Path;

/// Writes to standard output. A closed pipe is not an error: the exit status has the result too.
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

/// A value as indented JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("a report has only string keys");
    text.push('\n');
    text
}

/// Writes a note to standard error, and ignores an error: there is no other place to report it. The note can contain text of
/// a file or a subject, so control characters are escaped.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", visible(text));
}

/// The error message of the operating system, without the name of a temporary file.
fn plain(error: io::Error) -> io::Error {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if let Some(code) = inner.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return io::Error::from_raw_os_error(code);
        }
        cause = inner.source();
    }
    // The library for temporary files can hide the cause. Its message is then that of the system and the name.
    match error.to_string().split_once(" at path ") {
        Some((system, _)) => io::Error::other(system.to_owned()),
        None => error,
    }
}

/// The prefix of a file that is not complete yet.
const TEMPORARY: &str = ".ringstorm-tmp-";

/// Removes incomplete files that a killed process left. The caller must be the only writer of the folder.
pub(super) fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Makes renames and removals in a folder durable, where the platform can open a folder.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { std::fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Writes a temporary file and moves it to `path`, so that no reader sees an incomplete file. Writes directly to a path that
/// is not a regular file, such as a device or a pipe. Keeps a link.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let existing = std::fs::metadata(&target).ok();
        if existing.as_ref().is_some_and(|existing| !existing.is_file()) {
            return std::fs::OpenOptions::new().write(true).open(&target)?.write_all(bytes);
        }
        let mut builder = tempfile::Builder::new();
        // The permissions are those of the existing file, or those of the umask.
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

/// Creates a folder for results and checks that it is writable.
pub(super) fn prepare_folder(folder: &Path) -> Result<(), CliError> {
    let refuse = |error: io::Error| CliError::Input(format!("{}: {}", folder.display(), plain(error)));
    std::fs::create_dir_all(folder).map_err(refuse)?;
    tempfile::tempfile_in(folder).map_err(refuse)?;
    Ok(())
}
