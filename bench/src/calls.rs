//! How often the server calls the kernel for a message: a figure that does not depend on the mood
//! of the machine as times do.
//!
//! `perf` counts, because the server does not notice it; being traced would slow the server down
//! and so change what it batches.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{OpenOptions, Receiver, Sender};
use tokio::process::{Child, Command};

use crate::compare::target::Target;
use crate::pairs;
use crate::spread::count_as_f64;
use crate::table::{Cell, Table};

const WARM_UP: Duration = Duration::from_secs(1);
/// `perf` starts, or writes its file, within this.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pairs, and how many messages of each sender are under way.
const LOADS: [(usize, usize); 4] = [(1, 1), (1, 32), (100, 1), (100, 32)];
/// Columns in a file and for people, and the calls that are added up in each.
const COLUMNS: [(&str, &str, &[&str]); 8] = [
    ("read", "read", &["read", "recvfrom", "readv", "recvmsg"]),
    ("write", "write", &["write", "sendto", "writev", "sendmsg"]),
    (
        "wait_for_sockets",
        "wait for sockets",
        &["epoll_wait", "epoll_pwait"],
    ),
    (
        "look_at_a_socket",
        "look at a socket",
        &["ioctl", "getsockopt"],
    ),
    ("futex", "futex", &["futex"]),
    ("sync", "sync", &["fdatasync", "fsync"]),
    ("read_of_a_file", "read of a file", &["pread64"]),
    ("write_of_a_file", "write of a file", &["pwrite64"]),
];

pub(crate) fn run(program: &Path, lasts: Duration) -> anyhow::Result<Vec<Table>> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(count(program, lasts))
}

async fn count(program: &Path, lasts: Duration) -> anyhow::Result<Vec<Table>> {
    let mut columns = vec![
        ("protocol", "protocol"),
        ("pairs", "pairs"),
        ("window", "window"),
        ("messages", "messages"),
        ("calls", "calls a message"),
    ];
    columns.extend(COLUMNS.map(|(key, heading, _)| (key, heading)));
    columns.push(("others", "others"));
    let mut table = Table::begin("calls_of_a_message", &columns);
    for target in [Target::WebSocket, Target::Flamingo] {
        let mut running = target.start(program).await?;
        let most = LOADS.iter().map(|(pairs, _)| *pairs).max().unwrap_or(1);
        running.make_pairs(most).await?;
        for (number_of_pairs, window) in LOADS {
            let mut lines = Vec::new();
            for number in 0..number_of_pairs {
                lines.push(running.pair(number).await?);
            }
            let mut counter = Counter::start(running.process()).await?;
            let (run, tasks) = pairs::start(lines, window)?;
            tokio::time::sleep(WARM_UP).await;
            counter.say("enable").await?;
            run.count(lasts).await;
            counter.say("disable").await?;
            let messages = run.end(tasks).await?.len();
            let calls = counter.end().await?;
            let each = |count: u64| count_as_f64(count) / count_as_f64(messages).max(1.0);
            let by_column: Vec<u64> = COLUMNS
                .iter()
                .map(|(_, _, names)| calls.sum(names))
                .collect();
            let all = calls.sum(&["all"]);
            let others = all.saturating_sub(by_column.iter().sum());
            let mut cells = vec![
                Cell::text(target.protocol()),
                Cell::size(number_of_pairs),
                Cell::size(window),
                Cell::count(messages),
                Cell::figure(each(all), 2),
            ];
            let by_column = by_column.into_iter().chain([others]);
            cells.extend(by_column.map(|count| Cell::figure(each(count), 3)));
            table.row(cells);
        }
        running.stop().await?;
    }
    Ok(vec![table])
}

/// `perf stat`, attached to a process and told when to count.
struct Counter {
    child: Child,
    directory: TempDir,
    orders: Sender,
    answers: Receiver,
}

impl Counter {
    async fn start(process: u32) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("bench-").tempdir()?;
        let (orders, answers) = (pipe(&directory, "orders")?, pipe(&directory, "answers")?);
        let events: Vec<String> = COLUMNS
            .iter()
            .flat_map(|(_, _, names)| names.iter())
            .map(|name| format!("syscalls:sys_enter_{name}"))
            .chain(["raw_syscalls:sys_enter".to_owned()])
            .collect();
        let child = Command::new("perf")
            .args(["stat", "-x", ",", "-D", "-1", "-p", &process.to_string()])
            .args(["-e", &events.join(",")])
            .arg("--control")
            .arg(format!("fifo:{},{}", orders.display(), answers.display()))
            .arg("-o")
            .arg(directory.path().join("counts"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("perf cannot be started; install it, on Debian: apt install linux-perf")?;
        Ok(Self {
            child,
            orders: OpenOptions::new().read_write(true).open_sender(orders)?,
            answers: OpenOptions::new().read_write(true).open_receiver(answers)?,
            directory,
        })
    }

    /// Orders something, and waits until it is done.
    async fn say(&mut self, order: &str) -> anyhow::Result<()> {
        self.orders
            .write_all(format!("{order}\n").as_bytes())
            .await?;
        let mut answer = [0; 16];
        tokio::select! {
            read = tokio::time::timeout(PATIENCE, self.answers.read(&mut answer)) => {
                read.context("perf does not answer")??;
                Ok(())
            }
            _ = self.child.wait() => bail!("perf cannot count calls here: is this root?"),
        }
    }

    async fn end(mut self) -> anyhow::Result<Calls> {
        let process = self.child.id().context("perf has ended")?;
        let process = rustix::process::Pid::from_raw(i32::try_from(process)?);
        let process = process.context("no process number")?;
        rustix::process::kill_process(process, rustix::process::Signal::INT)?;
        tokio::time::timeout(PATIENCE, self.child.wait()).await??;
        let counts = fs::read_to_string(self.directory.path().join("counts"))?;
        Ok(Calls::parse(&counts))
    }
}

fn pipe(directory: &TempDir, name: &str) -> anyhow::Result<PathBuf> {
    let path = directory.path().join(name);
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
    Ok(path)
}

/// How often each call was made; `all` stands for all of them.
struct Calls(Vec<(String, u64)>);

impl Calls {
    /// Reads lines like `3,,syscalls:sys_enter_futex,39915,100.00,,`.
    fn parse(counts: &str) -> Self {
        let line = |line: &str| {
            let mut fields = line.split(',');
            let count = fields.next()?.parse().ok()?;
            let event = fields.nth(1)?;
            let name = event.strip_prefix("syscalls:sys_enter_").unwrap_or("all");
            Some((name.to_owned(), count))
        };
        Self(counts.lines().filter_map(line).collect())
    }

    fn sum(&self, names: &[&str]) -> u64 {
        self.0
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .map(|(_, count)| count)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Calls;

    #[test]
    fn counts_are_read() {
        let calls = Calls::parse(
            "# started on Monday\n\n3,,syscalls:sys_enter_futex,39915,100.00,,\n\
             4,,syscalls:sys_enter_read,1,100.00,,\n9,,raw_syscalls:sys_enter,1,100.00,,\n",
        );
        assert_eq!(calls.sum(&["futex", "read"]), 7);
        assert_eq!(calls.sum(&["all"]), 9);
        assert_eq!(calls.sum(&["write"]), 0);
    }
}
