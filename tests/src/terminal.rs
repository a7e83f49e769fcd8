//! Somebody who sits before a terminal: types, and looks at the screen until something is there.
//!
//! Knows what a terminal does with the bytes; nothing of what the program shows.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use vt100::Parser;

use crate::process::program;

/// How long something may take until it is on the screen.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the shell of [`Terminal::shell`] says that it waits for a command. Whatever is typed before
/// that may be thrown away when a program gives the terminal back.
pub const PROMPT: &str = "shell>";

/// A program in a terminal. Dropping it kills the program.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Screen>,
    /// How the terminal was set before the program ran.
    before: String,
}

struct Screen {
    seen: Mutex<Seen>,
    changed: Condvar,
}

struct Seen {
    parser: Parser,
    /// Bytes that the program wrote so far.
    bytes: usize,
    over: bool,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal")
            .field("screen", &self.text())
            .finish()
    }
}

fn cells(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("a terminal has rows and columns")
}

fn size((columns, rows): (u16, u16)) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

impl Terminal {
    /// Starts a program of the suite in a terminal of so many columns and rows, in this directory
    /// and with these variables and no others.
    pub fn start(
        (columns, rows): (u16, u16),
        directory: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = CommandBuilder::new(program("myim"));
        command.args(arguments);
        Self::run((columns, rows), command, directory, variables)
    }

    /// The same with a shell, that can suspend what it runs.
    pub fn shell(
        (columns, rows): (u16, u16),
        directory: &Path,
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = CommandBuilder::new("/bin/sh");
        command.args(["-i"]);
        let prompt = format!("{PROMPT} ");
        let variables: Vec<_> = variables
            .iter()
            .copied()
            .chain([("PS1", &*prompt)])
            .collect();
        Self::run((columns, rows), command, directory, &variables)
    }

    fn run(
        (columns, rows): (u16, u16),
        mut command: CommandBuilder,
        directory: &Path,
        variables: &[(&str, &str)],
    ) -> Self {
        command.env_clear();
        command.cwd(directory);
        for (name, value) in variables {
            command.env(name, value);
        }
        let pty = native_pty_system()
            .openpty(size((columns, rows)))
            .expect("a terminal");
        let before = format!("{:?}", pty.master.get_termios());
        let child = pty
            .slave
            .spawn_command(command)
            .expect("the program starts");
        drop(pty.slave);
        let reader = pty
            .master
            .try_clone_reader()
            .expect("the terminal can be read");
        let writer = pty
            .master
            .take_writer()
            .expect("the terminal can be written");
        let screen = Arc::new(Screen {
            seen: Mutex::new(Seen {
                parser: Parser::new(cells(rows), cells(columns), 0),
                bytes: 0,
                over: false,
            }),
            changed: Condvar::new(),
        });
        watch(reader, Arc::clone(&screen));
        Self {
            master: pty.master,
            writer,
            child,
            screen,
            before,
        }
    }

    /// Types this.
    pub fn types(&mut self, keys: &str) {
        self.writer
            .write_all(keys.as_bytes())
            .expect("the terminal takes keys");
        self.writer.flush().expect("the terminal takes keys");
    }

    /// Waits until this is on the screen.
    pub fn sees(&self, text: &str) {
        self.waits_for(text, |screen| screen.contains(text));
    }

    /// Waits until this is the last thing on the screen.
    pub fn sees_last(&self, text: &str) {
        self.waits_for(text, |screen| screen.trim_end().ends_with(text));
    }

    /// Waits until this is no longer on the screen.
    pub fn sees_no_longer(&self, text: &str) {
        self.waits_for(text, |screen| !screen.contains(text));
    }

    /// Waits until a line has both of these.
    pub fn sees_in_a_line(&self, one: &str, other: &str) {
        let both = |screen: &str| {
            let mut lines = screen.lines();
            lines.any(|line| line.contains(one) && line.contains(other))
        };
        self.waits_for(&format!("{one} … {other}"), both);
    }

    fn waits_for(&self, what: &str, there: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.screen.lock();
        loop {
            let text = seen.parser.screen().contents();
            if there(&text) {
                return;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !seen.over,
                "{what:?}: not within {PATIENCE:?}\n{text}"
            );
            let waited = self.screen.changed.wait_timeout(seen, left);
            seen = waited.expect("no holder of this lock panics").0;
        }
    }

    /// What is on the screen.
    pub fn text(&self) -> String {
        self.screen.lock().parser.screen().contents()
    }

    /// How many bytes the program has written so far.
    pub fn bytes(&self) -> usize {
        self.screen.lock().bytes
    }

    /// How many bytes the program has written by then, or as soon as it writes more.
    pub fn bytes_within(&self, time: Duration) -> usize {
        let seen = self.screen.lock();
        let before = seen.bytes;
        let more = |seen: &mut Seen| seen.bytes == before;
        let waited = self.screen.changed.wait_timeout_while(seen, time, more);
        waited.expect("no holder of this lock panics").0.bytes
    }

    /// The window has another size now.
    pub fn resize(&mut self, (columns, rows): (u16, u16)) {
        let mut seen = self.screen.lock();
        seen.parser
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        drop(seen);
        self.master
            .resize(size((columns, rows)))
            .expect("the terminal changes its size");
    }

    pub fn pid(&self) -> i32 {
        let pid = self.child.process_id().expect("it runs");
        pid.try_into().expect("a process id")
    }

    /// Waits for the end of the program and of what it writes.
    pub fn ends(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.screen.lock();
        // It is over when nobody has the terminal open any more.
        while !seen.over {
            let left = deadline.saturating_duration_since(Instant::now());
            let text = seen.parser.screen().contents();
            assert!(!left.is_zero(), "it does not end\n{text}");
            let waited = self.screen.changed.wait_timeout(seen, left);
            seen = waited.expect("no holder of this lock panics").0;
        }
        drop(seen);
        self.child.wait().expect("we are its parent")
    }

    /// The terminal is as it was: the shell's own screen, its cursor, and lines that are edited.
    pub fn is_restored(&self) {
        let seen = self.screen.lock();
        let screen = seen.parser.screen();
        assert!(!screen.alternate_screen(), "the other screen is left");
        assert!(!screen.bracketed_paste(), "pastes are as they were");
        assert!(!screen.hide_cursor(), "the cursor is there");
        let now = format!("{:?}", self.master.get_termios());
        assert_eq!(now, self.before, "lines are edited again");
    }
}

impl Screen {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        if thread::panicking() {
            eprintln!("--- the screen\n{}", self.text());
        }
    }
}

fn watch(mut reader: Box<dyn Read + Send>, screen: Arc<Screen>) {
    thread::spawn(move || {
        let mut piece = [0; 4096];
        // A terminal whose program has ended gives an error.
        while let Ok(count @ 1..) = reader.read(&mut piece) {
            let mut seen = screen.lock();
            seen.parser.process(&piece[..count]);
            seen.bytes += count;
            drop(seen);
            screen.changed.notify_all();
        }
        screen.lock().over = true;
        screen.changed.notify_all();
    });
}
