//! Which program is started as a worker.

use std::path::PathBuf;

/// A program that is a worker when it is asked to be.
#[derive(Clone, Debug)]
pub struct Program(pub(super) PathBuf);

impl Program {
    /// This one, which has asked [`run_if_asked`](crate::worker::run_if_asked) at its start.
    ///
    /// # Errors
    /// If the system does not tell where it is.
    pub fn this() -> std::io::Result<Self> {
        // Linux keeps what runs, even if another version has been put in its place since.
        #[cfg(target_os = "linux")]
        let path = PathBuf::from("/proc/self/exe");
        #[cfg(not(target_os = "linux"))]
        let path = std::env::current_exe()?;
        Ok(Self(path))
    }

    /// The one that cargo built beside a test.
    #[cfg(test)]
    pub(crate) fn built() -> Self {
        let test = std::env::current_exe().unwrap();
        // A test is target/PROFILE/deps/image_server-HASH, two levels below the programs.
        let mut folders = test.ancestors().skip(2);
        let path = folders.find_map(|folder| {
            let path = folder.join("myimgserver");
            path.is_file().then_some(path)
        });
        let missing = "cargo build --workspace --bins --examples comes before the tests";
        Self(path.expect(missing))
    }

    /// Another one.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}
