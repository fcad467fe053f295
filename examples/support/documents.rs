//! Reads a folder of .storm files.

use ringstorm::scenario::Document;
use std::error::Error;
use std::path::{Path, PathBuf};

/// A file: its name, its text, and the parsed document.
pub type Named = (String, String, Document);

/// Reads all .storm files of a folder, in the order of their names. Other files, such as an editor's backup, are ignored.
pub fn documents(folder: &Path) -> Result<Vec<Named>, Box<dyn Error>> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    let mut files: Vec<PathBuf> =
        paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "storm")).collect();
    files.sort();
    files.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<Named, Box<dyn Error>> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let document = text.parse().map_err(|error| format!("{}: {error}", path.display()))?;
    Ok((name, text, document))
}
