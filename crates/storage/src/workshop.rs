//! Folders that are made whole or not at all.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::error::StorageError;

/// A folder to build something in that shall be whole or not there. It is removed when dropped, unless it was published.
#[derive(Debug)]
pub struct Workshop {
    folder: TempDir,
}

impl Workshop {
    /// An empty folder with a hidden name in `cache`, which is made if it is not there.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn new(cache: &Path) -> Result<Self, StorageError> {
        fs::create_dir_all(cache).map_err(|cause| StorageError::io("create", cache, cause))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".building-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // A temporary folder is its owner's alone by default; a cache may be shared, as the umask says.
            builder.permissions(fs::Permissions::from_mode(0o777));
        }
        let folder = builder.tempdir_in(cache).map_err(|cause| StorageError::io("create a folder in", cache, cause))?;
        Ok(Self { folder })
    }

    /// Where to build.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the folder its name. If another process has published the same dataset meanwhile, that one stands and
    /// this one is removed.
    ///
    /// # Errors
    /// [`StorageError::Io`]; nothing is left at `name` then.
    pub fn publish(self, name: &Path) -> Result<(), StorageError> {
        sync_folder(self.path())?;
        match fs::rename(self.path(), name) {
            Ok(()) => {
                // Nothing lies at the old path any more: there is nothing to remove.
                let _ = self.folder.keep();
                match name.parent() {
                    // A name alone is one of the working directory.
                    Some(folder) if folder.as_os_str().is_empty() => sync_folder(Path::new(".")),
                    Some(folder) => sync_folder(folder),
                    None => Ok(()),
                }
            }
            Err(_) if name.is_dir() => Ok(()),
            Err(cause) => Err(StorageError::io("rename a folder to", name, cause)),
        }
    }
}

/// Waits until the disk has the names in a folder.
///
/// # Errors
/// [`StorageError::Io`].
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> Result<(), StorageError> {
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|cause| StorageError::io("sync", folder, cause))
}

/// Folders cannot be synced here; the system does so in its own time.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn sync_folder(_folder: &Path) -> Result<(), StorageError> {
    Ok(())
}
