//! What the environment says to the command line: whose account, and where it is kept.
//!
//! These are no settings of a server.

use std::env::var_os;
use std::path::PathBuf;

/// The variables that the command line reads, beside its flags. An empty one is one that is not
/// set.
#[derive(Clone, Debug, Default)]
pub struct PersonalEnvironment {
    /// `MYIM_CONFIG_DIR`: where the credentials are.
    pub config_dir: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub xdg_config_home: Option<PathBuf>,
    /// `XDG_STATE_HOME`.
    pub xdg_state_home: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `MYIM_ACCOUNT`: which of the accounts, `USER@SERVER`.
    pub account: Option<String>,
    /// `MYIM_TOKEN`, with `MYIM_SERVER`: instead of the accounts in the file.
    pub token: Option<String>,
    /// `MYIM_SERVER`: where the token is worth something.
    pub server: Option<String>,
    /// `MYIM_CA`: the authority of that server's certificate.
    pub ca: Option<PathBuf>,
    /// `MYIM_FILE_PORT`, as a server's own setting.
    pub file_port: Option<String>,
    /// `MYIM_IMAGE_PORT`, as a server's own setting.
    pub image_port: Option<String>,
    /// `NO_COLOR`, with any content.
    pub no_color: bool,
}

impl PersonalEnvironment {
    pub fn read() -> Self {
        let given = |name: &str| var_os(name).filter(|value| !value.is_empty());
        let path = |name: &str| given(name).map(PathBuf::from);
        let text = |name: &str| given(name).map(|value| value.to_string_lossy().into_owned());
        Self {
            config_dir: path("MYIM_CONFIG_DIR"),
            // The specification has programs ignore paths that are not absolute.
            xdg_config_home: path("XDG_CONFIG_HOME").filter(|path| path.is_absolute()),
            xdg_state_home: path("XDG_STATE_HOME").filter(|path| path.is_absolute()),
            home: path("HOME"),
            account: text("MYIM_ACCOUNT"),
            token: text("MYIM_TOKEN"),
            server: text("MYIM_SERVER"),
            ca: path("MYIM_CA"),
            file_port: text("MYIM_FILE_PORT"),
            image_port: text("MYIM_IMAGE_PORT"),
            no_color: given("NO_COLOR").is_some(),
        }
    }
}
