//! A program under test: started, watched, signalled and stopped by its process id.
//!
//! Knows nothing of what the program does.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a program may take to start or to end.
pub const PROCESS_PATIENCE: Duration = Duration::from_secs(60);

/// How long the rest of its outputs may take; a program that it started itself may hold them open.
const LAST_WORDS_PATIENCE: Duration = Duration::from_secs(5);

/// What is logged when a task panicked, also when something caught it and everybody was served.
const PANIC: &str = "panicked";

#[derive(Debug, Default)]
struct Seen {
    out: String,
    err: String,
    exit: Option<ExitStatus>,
    readers: usize,
}

#[derive(Debug, Default)]
struct Watch {
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no holder of this lock panics")
    }

    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until `ready` finds what it looks for.
    fn wait<T>(&self, patience: Duration, ready: impl Fn(&Seen) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + patience;
        let mut seen = self.lock();
        loop {
            if let Some(found) = ready(&seen) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            seen = self
                .changed
                .wait_timeout(seen, left)
                .expect("no holder of this lock panics")
                .0;
        }
    }
}

/// A started program. Dropping it kills it, and fails the test if it said what it must never say.
#[derive(Debug)]
pub struct Process {
    what: String,
    pid: Pid,
    watch: Arc<Watch>,
    /// What may not be in its outputs.
    never: Vec<&'static str>,
}

impl Process {
    pub fn spawn(command: &mut Command) -> Self {
        let what = describe(command);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {what}: {error}"));
        let pid = Pid::from_child(&child);
        let watch = Arc::new(Watch::default());
        watch.lock().readers = 2;
        let out = child.stdout.take().expect("piped");
        let err = child.stderr.take().expect("piped");
        follow(out, Arc::clone(&watch), |seen, line| {
            seen.out.push_str(line)
        });
        follow(err, Arc::clone(&watch), |seen, line| {
            seen.err.push_str(line)
        });
        let waiting = Arc::clone(&watch);
        thread::spawn(move || {
            let status = child.wait().expect("we are its parent");
            waiting.note(|seen| seen.exit = Some(status));
        });
        Self {
            what,
            pid,
            watch,
            never: vec![PANIC],
        }
    }

    /// The test fails if this is ever in the program's outputs.
    #[must_use]
    pub fn never_says(mut self, words: &'static str) -> Self {
        self.never.push(words);
        self
    }

    /// For a program that is broken on purpose.
    #[must_use]
    pub fn may_panic(mut self) -> Self {
        self.never.retain(|words| *words != PANIC);
        self
    }

    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Everything on standard error so far.
    pub fn log(&self) -> String {
        self.watch.lock().err.clone()
    }

    /// Everything on standard output so far.
    pub fn output(&self) -> String {
        self.watch.lock().out.clone()
    }

    /// The first whole line on standard output that starts so.
    pub fn line_starting(&self, start: &str) -> String {
        let found = self.watch.wait(PROCESS_PATIENCE, |seen| {
            let line = whole_lines(&seen.out).find(|line| line.starts_with(start));
            match (line, seen.exit) {
                (Some(line), _) => Some(Some(line.trim_end().to_owned())),
                (None, Some(_)) if seen.readers == 0 => Some(None),
                (None, _) => None,
            }
        });
        found
            .flatten()
            .unwrap_or_else(|| panic!("no line {start:?}\n{}", self.story()))
    }

    /// Waits until standard error contains this, ignoring case.
    pub fn wait_for_log(&self, words: &str) {
        assert!(
            self.logs_within(words, PROCESS_PATIENCE),
            "nothing about {words:?} was logged\n{}",
            self.story()
        );
    }

    /// Whether standard error contains this within the time, ignoring case.
    pub fn logs_within(&self, words: &str, patience: Duration) -> bool {
        self.says_within(words, patience, |seen| &seen.err)
    }

    /// Whether standard output contains this within the time, ignoring case.
    pub fn prints_within(&self, words: &str, patience: Duration) -> bool {
        self.says_within(words, patience, |seen| &seen.out)
    }

    fn says_within(&self, words: &str, patience: Duration, text: fn(&Seen) -> &str) -> bool {
        let words = words.to_lowercase();
        let found = self.watch.wait(patience, |seen| {
            let there = text(seen).to_lowercase().contains(&words);
            let over = seen.exit.is_some() && seen.readers == 0;
            (there || over).then_some(there)
        });
        found == Some(true)
    }

    /// Whether standard output becomes so within the time, or is so when the program ends.
    pub fn output_becomes(&self, patience: Duration, ready: impl Fn(&str) -> bool) -> bool {
        self.becomes(patience, ready, |seen| &seen.out)
    }

    /// Whether standard error becomes so within the time, or is so when the program ends.
    pub fn log_becomes(&self, patience: Duration, ready: impl Fn(&str) -> bool) -> bool {
        self.becomes(patience, ready, |seen| &seen.err)
    }

    fn becomes(
        &self,
        patience: Duration,
        ready: impl Fn(&str) -> bool,
        text: fn(&Seen) -> &str,
    ) -> bool {
        let found = self.watch.wait(patience, |seen| {
            let over = seen.exit.is_some() && seen.readers == 0;
            let is_ready = ready(text(seen));
            (is_ready || over).then_some(is_ready)
        });
        found == Some(true)
    }

    pub fn is_running(&self) -> bool {
        self.watch.lock().exit.is_none()
    }

    /// Waits for the end; its outputs are complete then.
    pub fn wait(&self, patience: Duration) -> ExitStatus {
        let over = self
            .watch
            .wait(patience, |seen| seen.exit.filter(|_| seen.readers == 0));
        over.unwrap_or_else(|| panic!("still running after {patience:?}\n{}", self.story()))
    }

    /// Sends a signal; nothing happens if the program has ended.
    pub fn signal(&self, signal: Signal) {
        let seen = self.watch.lock();
        if seen.exit.is_none() {
            // It may have ended this instant: then there is nobody to tell.
            let _ = kill_process(self.pid, signal);
        }
    }

    /// Stops it where it is, and waits until none of its threads does anything any more. One that
    /// waits for the disk stays in the kernel, and stops before it comes back from there.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
        let tasks = format!("/proc/{}/task", self.pid());
        let deadline = Instant::now() + PROCESS_PATIENCE;
        while self.is_running() && !all_stand_still(Path::new(&tasks)) {
            assert!(Instant::now() < deadline, "it runs on\n{}", self.story());
            thread::yield_now();
        }
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
        self.wait(PROCESS_PATIENCE);
    }

    /// Asks it to end and waits until it has.
    pub fn stop(&self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait(PROCESS_PATIENCE)
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.pid());
        let status = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.story()));
        let kib: u64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .and_then(|number| number.trim().parse().ok())
            .expect("Linux tells VmRSS in kB");
        kib * 1024
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.pid());
        let open = std::fs::read_dir(&path);
        open.unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.story()))
            .count()
    }

    /// What it was and what it said: the end of a failure message.
    pub fn story(&self) -> String {
        let seen = self.watch.lock();
        let mut story = String::new();
        let _ = writeln!(story, "{}: {:?}", self.what, seen.exit);
        let _ = writeln!(story, "--- standard output\n{}", tail(&seen.out));
        let _ = writeln!(story, "--- standard error\n{}", tail(&seen.err));
        story
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_running() {
            self.signal(Signal::CONT);
            self.signal(Signal::KILL);
            self.watch.wait(PROCESS_PATIENCE, |seen| seen.exit);
        }
        if thread::panicking() {
            eprintln!("{}", self.story());
            return;
        }
        self.watch.wait(LAST_WORDS_PATIENCE, |seen| {
            (seen.readers == 0).then_some(())
        });
        for words in &self.never {
            let said = self.log().contains(words) || self.output().contains(words);
            assert!(!said, "it said {words:?}\n{}", self.story());
        }
    }
}

/// Names a folder with other builds of the programs than those beside the test.
pub const PROGRAMS: &str = "MYIM_TEST_PROGRAMS";

/// A program of the suite: built beside the test, or in the folder that [`PROGRAMS`] names.
///
/// # Panics
/// If it is not there.
pub fn program(name: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os(PROGRAMS) {
        return Path::new(&folder).join(name);
    }
    let test = std::env::current_exe().expect("a running program has a path");
    // A test is target/PROFILE/deps/all-HASH, two levels below where cargo puts programs.
    let mut folders = test.ancestors().skip(1).take(2);
    let path = folders.find_map(|folder| {
        let path = folder.join(name);
        path.is_file().then_some(path)
    });
    path.unwrap_or_else(|| {
        panic!(
            "{name} is missing beside {}: run scripts/test, or cargo build --workspace --bins \
             --examples first",
            test.display()
        )
    })
}

/// A command that runs a program of the suite in this directory, with none of our settings.
pub fn command(name: &str, directory: &Path) -> Command {
    let mut command = Command::new(program(name));
    command.current_dir(directory);
    for (key, _) in std::env::vars_os() {
        let name = key.to_string_lossy();
        if name.starts_with("MYIM_") || name.starts_with("AWS_") {
            command.env_remove(key);
        }
    }
    command
}

fn describe(command: &Command) -> String {
    let mut what = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let _ = write!(what, " {}", argument.to_string_lossy());
    }
    what
}

fn follow(
    stream: impl Read + Send + 'static,
    watch: Arc<Watch>,
    keep: impl Fn(&mut Seen, &str) + Send + 'static,
) {
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|count| count > 0)
        {
            let text = String::from_utf8_lossy(&line).into_owned();
            watch.note(|seen| keep(seen, &text));
            line.clear();
        }
        watch.note(|seen| seen.readers -= 1);
    });
}

/// Whether every thread is stopped (T), or waits in the kernel for the disk (D).
fn all_stand_still(tasks: &Path) -> bool {
    let Ok(threads) = std::fs::read_dir(tasks) else {
        return true;
    };
    threads.flatten().all(|thread| {
        // One that ended meanwhile does nothing either.
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        let state = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.chars().next());
        matches!(state, None | Some('T' | 'D' | 'Z' | 'X'))
    })
}

fn whole_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
}

/// The last 8 KiB or so: enough to see what happened last.
fn tail(text: &str) -> &str {
    let from = text.len().saturating_sub(8192);
    let from = (from..text.len()).find(|at| text.is_char_boundary(*at));
    &text[from.unwrap_or(0)..]
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// A program that said this and ended.
    fn saying(words: &str) -> Process {
        let process = Process::spawn(Command::new("sh").args(["-c", "echo \"$0\" >&2", words]));
        process.wait(PROCESS_PATIENCE);
        process
    }

    /// What the test is told when this program ends.
    fn told_of(process: Process) -> Option<String> {
        let end = AssertUnwindSafe(move || drop(process));
        let panic = catch_unwind(end).err()?;
        Some(*panic.downcast::<String>().expect("a sentence"))
    }

    #[test]
    fn a_panic_in_a_log_fails_the_test() {
        let words = "ERROR a task panicked; its connection is closed, the others go on";
        let told = told_of(saying(words)).expect("it is found");
        assert!(told.contains(words), "{told}");
        // Also when the program still runs.
        let process = Process::spawn(
            Command::new("sh").args(["-c", "echo a task panicked >&2; exec sleep 600"]),
        );
        process.wait_for_log("panicked");
        assert!(told_of(process).is_some());
    }

    #[test]
    fn unless_it_is_broken_on_purpose() {
        assert_eq!(told_of(saying("a task panicked").may_panic()), None);
        assert_eq!(told_of(saying("all is well")), None);
    }

    #[test]
    fn what_is_never_said_is_looked_for() {
        let process = saying("INFO the word is opensesame");
        assert!(told_of(process.never_says("opensesame")).is_some());
    }
}
