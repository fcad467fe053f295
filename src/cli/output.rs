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

/// Writes a file beside its place and moves it there, so that nobody ever sees half of it.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".ringstorm-").tempfile_in(folder)?;
        file.write_all(bytes)?;
        // What others may read is for the umask to say, as with any file.
        #[cfg(unix)]
        std::fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|error| Refusal::Input(format!("{}: {error}", path.display())))
}

/// Makes a folder for results, and makes sure that it can be written to before work begins.
pub(super) fn prepare_folder(folder: &Path) -> Result<(), Refusal> {
    let refuse = |error: io::Error| Refusal::Input(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(refuse)?;
    tempfile::tempfile_in(folder).map_err(refuse)?;
    Ok(())
}
