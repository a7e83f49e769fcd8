//! `myim chat` in a terminal: the program itself, with real keys, a real screen and a real server.

mod conversation;
mod ending;

use std::path::Path;

use myim_tests::api_person::ApiPerson;
use myim_tests::server::Server;
use myim_tests::terminal::Terminal;
use tempfile::TempDir;

const ENTER: &str = "\r";
const CTRL_C: &str = "\x03";
const CTRL_K: &str = "\x0b";
const CTRL_N: &str = "\x0e";
const CTRL_O: &str = "\x0f";
const CTRL_Z: &str = "\x1a";

/// A machine with a terminal and somebody who is signed in on it.
struct Desk {
    directory: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Desk {
    /// Signs in on a device of its own.
    fn of(server: &Server, name: &str) -> Self {
        let person = server.sign_in(name, "terminal");
        let directory = TempDir::with_prefix("myim-terminal-").unwrap();
        let config = directory.path().join("config").display().to_string();
        let variables = vec![
            ("MYIM_SERVER", format!("http://{}", server.chat)),
            ("MYIM_TOKEN", person.token),
            ("MYIM_FILE_PORT", server.file.port().to_string()),
            ("MYIM_IMAGE_PORT", server.image.port().to_string()),
            ("MYIM_CONFIG_DIR", config),
            ("TERM", "xterm-256color".to_owned()),
            ("LANG", "en_US.UTF-8".to_owned()),
            ("TZ", "UTC".to_owned()),
        ];
        Self {
            directory,
            variables,
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        let variables = self.variables.iter();
        variables
            .map(|(name, value)| (*name, value.as_str()))
            .collect()
    }

    fn chat(&self, size: (u16, u16)) -> Terminal {
        Terminal::start(size, self.path(), &["chat"], &self.variables())
    }
}

/// Two friends whose conversation is in both lists.
fn friends(server: &Server) -> (ApiPerson, ApiPerson) {
    let (ann, bob) = server.acquainted();
    ann.direct(&bob.user_id);
    bob.direct(&ann.user_id);
    (ann, bob)
}

/// Goes to a conversation by name.
fn go_to(terminal: &mut Terminal, name: &str) {
    terminal.sees("connected");
    terminal.sees(name);
    terminal.types(CTRL_K);
    terminal.sees("Go to");
    terminal.types(name);
    terminal.types(ENTER);
    terminal.sees("Write a message");
}
