//! Where results go: standard output, and files that are there as a whole or not at all.

use super::Refusal;
use std::io::{self, Write};
use std::path::Path;

/// Writes to standard output.
pub(super) fn emit(text: &str) -> Result<(), Refusal> {
    emit_bytes(text.as_bytes())
}

/// Writes bytes to standard output.
pub(super) fn emit_bytes(bytes: &[u8]) -> Result<(), Refusal> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Refusal::Closed),
        Err(error) => Err(Refusal::Input(format!("standard output: {error}"))),
    }
}

/// Writes a note to standard error. If that is closed or full, nobody is there to be told.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// An error of the operating system in its own words, without the name of a temporary file.
fn plain(error: io::Error) -> io::Error {
    error.raw_os_error().map_or(error, io::Error::from_raw_os_error)
}

/// Writes a file beside its place and moves it there, so that nobody ever sees half of it. What is no regular
/// file, such as a device or a pipe, is written to as it is; a link stays one.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
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
        let mut file = builder.prefix(".ringstorm-").tempfile_in(folder)?;
        if let Some(existing) = existing {
            file.as_file().set_permissions(existing.permissions())?;
        }
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(&target)?;
        Ok(())
    };
    write().map_err(|error| Refusal::Input(format!("{}: {}", path.display(), plain(error))))
}

/// Makes a folder for results, and makes sure that it can be written to before work begins.
pub(super) fn prepare_folder(folder: &Path) -> Result<(), Refusal> {
    let refuse = |error: io::Error| Refusal::Input(format!("{}: {}", folder.display(), plain(error)));
    std::fs::create_dir_all(folder).map_err(refuse)?;
    tempfile::tempfile_in(folder).map_err(refuse)?;
    Ok(())
}
