//! Where on this machine the command line keeps things, readable by their owner only.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use common::config::PersonalEnvironment;

use crate::failure::Failure;

/// The directories of the person who runs this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    config: PathBuf,
    state: PathBuf,
}

impl Place {
    /// # Errors
    /// [`Failure::Local`] if the environment names no directory at all.
    pub(crate) fn of(environment: &PersonalEnvironment) -> Result<Self, Failure> {
        if let Some(directory) = &environment.config_dir {
            return Ok(Self {
                config: directory.clone(),
                state: directory.join("state"),
            });
        }
        let below = |xdg: &Option<PathBuf>, usual: &str| {
            let home = || environment.home.as_ref().map(|home| home.join(usual));
            xdg.clone().or_else(home).map(|base| base.join("myim"))
        };
        let config = below(&environment.xdg_config_home, ".config");
        let state = below(&environment.xdg_state_home, ".local/state");
        match (config, state) {
            (Some(config), Some(state)) => Ok(Self { config, state }),
            _ => Err(Failure::Local(
                "neither MYIM_CONFIG_DIR nor HOME says where the credentials are".to_owned(),
            )),
        }
    }

    /// The credentials' file.
    pub(super) fn credentials(&self) -> PathBuf {
        self.config.join("credentials.json")
    }

    /// The file of the key that signs upgrade packages.
    pub(crate) fn publisher_key(&self) -> PathBuf {
        self.config.join("upgrade-key.pem")
    }

    /// The directory of the credentials, which is made if it is not there.
    pub(crate) fn make_config(&self) -> Result<&Path, Failure> {
        make(&self.config)?;
        Ok(&self.config)
    }

    /// A directory for what is kept of one account, which is made if it is not there.
    pub(super) fn state(&self, account: &str) -> anyhow::Result<PathBuf> {
        let directory = self.state.join(account);
        make(&directory)?;
        Ok(directory)
    }
}

fn make(directory: &Path) -> Result<(), Failure> {
    match fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
    {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Failure::local(directory.display(), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_variable_goes_before_the_desktops() {
        let home = PersonalEnvironment {
            home: Some("/h".into()),
            ..PersonalEnvironment::default()
        };
        let file =
            |environment: &PersonalEnvironment| Place::of(environment).unwrap().credentials();
        assert_eq!(file(&home), Path::new("/h/.config/myim/credentials.json"));
        let xdg = PersonalEnvironment {
            xdg_config_home: Some("/x".into()),
            ..home.clone()
        };
        assert_eq!(file(&xdg), Path::new("/x/myim/credentials.json"));
        let own = PersonalEnvironment {
            config_dir: Some("/o".into()),
            ..xdg
        };
        assert_eq!(file(&own), Path::new("/o/credentials.json"));
        assert!(Place::of(&PersonalEnvironment::default()).is_err());
    }
}
