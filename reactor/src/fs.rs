//! Files, on the blocking pool.
//!
//! Cancelling: if the future is dropped before its job has started, nothing happens. Once
//! started, the job runs to its end, and nobody is told how it went.

use std::fs as blocking_fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::blocking::spawn_blocking;
use crate::current;

/// Reads a whole file.
///
/// # Errors
/// Those of [`std::fs::read`], and if there is no reactor on this thread.
pub async fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let path = path.as_ref().to_owned();
    run(move || blocking_fs::read(path)).await
}

/// Reads a whole file that must be UTF-8.
///
/// # Errors
/// Those of [`std::fs::read_to_string`], and if there is no reactor on this thread.
pub async fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    let path = path.as_ref().to_owned();
    run(move || blocking_fs::read_to_string(path)).await
}

/// Writes a whole file, all or nothing: whoever reads it, even after a crash, finds the old
/// content or the new one, never a half.
///
/// The content goes into a temporary file beside it, is synced to disk, and is then renamed; on
/// Unix the folder is synced, too. Its permissions stay if it existed before; if it is a symbolic
/// link, the file it points to is replaced. What is no file (a device, a pipe) is written to.
///
/// # Errors
/// If any of the steps fails; the temporary file is then removed. Or if there is no reactor on
/// this thread.
pub async fn write(path: impl AsRef<Path>, content: impl Into<Vec<u8>>) -> io::Result<()> {
    let (path, content) = (path.as_ref().to_owned(), content.into());
    run(move || replace(path, &content)).await
}

/// An open file. Each call is one job on the pool.
#[derive(Clone, Debug)]
pub struct File {
    file: Arc<blocking_fs::File>,
}

impl File {
    /// Opens a file to read it.
    ///
    /// # Errors
    /// Those of [`std::fs::File::open`], and if there is no reactor on this thread.
    pub async fn open(path: impl AsRef<Path>) -> io::Result<File> {
        let path = path.as_ref().to_owned();
        run(move || Ok(File::from(blocking_fs::File::open(path)?))).await
    }

    /// Makes a file to write it; what was in it is lost.
    ///
    /// # Errors
    /// Those of [`std::fs::File::create`], and if there is no reactor on this thread.
    pub async fn create(path: impl AsRef<Path>) -> io::Result<File> {
        let path = path.as_ref().to_owned();
        run(move || Ok(File::from(blocking_fs::File::create(path)?))).await
    }

    /// Reads at most `limit` bytes from where the last call ended; none at the end of the file.
    ///
    /// # Errors
    /// Those of [`std::io::Read::read`].
    pub async fn read(&self, limit: usize) -> io::Result<Vec<u8>> {
        self.with(move |mut file| {
            let mut content = vec![0; limit];
            let length = file.read(&mut content)?;
            content.truncate(length);
            Ok(content)
        })
        .await
    }

    /// Reads on to the end of the file.
    ///
    /// # Errors
    /// Those of [`std::io::Read::read_to_end`].
    pub async fn read_to_end(&self) -> io::Result<Vec<u8>> {
        self.with(|mut file| {
            let mut content = Vec::new();
            file.read_to_end(&mut content)?;
            Ok(content)
        })
        .await
    }

    /// Writes all of `content` where the last call ended.
    ///
    /// # Errors
    /// Those of [`std::io::Write::write_all`]; then an unknown part of it has been written.
    pub async fn write_all(&self, content: impl Into<Vec<u8>>) -> io::Result<()> {
        let content = content.into();
        self.with(move |mut file| file.write_all(&content)).await
    }

    /// Goes to another place in the file, and gives its distance from the start.
    ///
    /// # Errors
    /// Those of [`std::io::Seek::seek`].
    pub async fn seek(&self, to: SeekFrom) -> io::Result<u64> {
        self.with(move |mut file| file.seek(to)).await
    }

    /// Returns when all that was written has reached the disk.
    ///
    /// # Errors
    /// Those of [`std::fs::File::sync_all`]. After one, what is on the disk is unknown.
    pub async fn sync_all(&self) -> io::Result<()> {
        self.with(blocking_fs::File::sync_all).await
    }

    async fn with<T, F>(&self, job: F) -> io::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&blocking_fs::File) -> io::Result<T> + Send + 'static,
    {
        let file = self.file.clone();
        run(move || job(&file)).await
    }
}

impl From<blocking_fs::File> for File {
    fn from(file: blocking_fs::File) -> File {
        File { file: Arc::new(file) }
    }
}

async fn run<T, F>(job: F) -> io::Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> io::Result<T> + Send + 'static,
{
    current::current()?;
    spawn_blocking(job).await?
}

fn replace(path: PathBuf, content: &[u8]) -> io::Result<()> {
    let path = follow_links(path)?;
    let found = blocking_fs::metadata(&path);
    if found.as_ref().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return blocking_fs::write(path, content);
    }
    let (mut file, temporary) = temporary_beside(&path, found.is_ok())?;
    let replaced = found
        .map_or(Ok(()), |found| file.set_permissions(found.permissions()))
        .and_then(|()| file.write_all(content))
        .and_then(|()| file.sync_all())
        .and_then(|()| blocking_fs::rename(&temporary, &path));
    if replaced.is_err() {
        let _ = blocking_fs::remove_file(&temporary);
    }
    replaced.and_then(|()| sync_folder(&path))
}

/// Where symbolic links lead, even if nothing is there yet. As the system does, it gives up after
/// 40 of them.
fn follow_links(mut path: PathBuf) -> io::Result<PathBuf> {
    for _ in 0..40 {
        match blocking_fs::read_link(&path) {
            Ok(target) => path = path.with_file_name("").join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("these symbolic links lead in a circle"))
}

/// If it is `hidden`, nobody else may read it until it gets the permissions of the old file.
fn temporary_beside(path: &Path, hidden: bool) -> io::Result<(blocking_fs::File, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    if path.file_name().is_none() {
        let message = "a path to write to ends in a file name";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let mut options = blocking_fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if hidden { 0o600 } else { 0o666 });
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_file_name(format!(".{}-{number}.tmp", process::id()));
        match options.open(&temporary) {
            // Left behind by a crash, of a process that had our number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return Ok((result?, temporary)),
        }
    }
}

/// Without this, a crash could undo the rename.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        blocking_fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}
