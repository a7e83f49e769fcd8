//! `myim chat` in a terminal of 80 by 24: processor time when nothing happens and at 100 messages
//! a second, and the time from a key to its letter on the screen.
//!
//! The screen is a model that reads what the program writes. So a time is that of the program and
//! of the system's pseudo-terminal, without a window that draws it.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use hdrhistogram::Histogram;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval, sleep};
use vt100::Parser;

use crate::server::Server;
use crate::table::{Cell, Table};
use crate::web::WebPerson;

const ROWS: u16 = 24;
const COLUMNS: u16 = 80;
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two keys, so that each finds a screen at rest.
const BETWEEN_KEYS: Duration = Duration::from_millis(100);

struct Terminal {
    // Closing it ends the program.
    _master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

struct Seen {
    parser: Parser,
    bytes: u64,
}

/// What the program used so far.
#[derive(Clone, Copy)]
struct Used {
    processor_s: f64,
    bytes: u64,
}

pub(crate) async fn run(
    server: &Server,
    program: &Path,
    (rate, seconds): (u32, u64),
    keys: usize,
) -> anyhow::Result<Vec<Table>> {
    let ann = WebPerson::new(server.chat, "ann").await?;
    let bob = WebPerson::new(server.chat, "bob").await?;
    ann.befriend(&bob).await?;
    let body = json!({"user_id": bob.user});
    ann.post("/api/v1/conversations", &body).await?;
    let mut terminal = Terminal::start(program, server, &ann)?;
    terminal.wait(|screen| screen.contains("connected") && screen.contains("bob"))?;
    terminal.types("\r")?;
    terminal.wait(|screen| screen.contains("Write a message"))?;

    let before = terminal.used()?;
    sleep(Duration::from_secs(seconds)).await;
    let idle = row("nothing happens", before, terminal.used()?);

    let delays = type_keys(&mut terminal, keys).await?;

    let before = terminal.used()?;
    write(&bob, &ann.user, (rate, seconds)).await?;
    let busy = row(&format!("{rate} messages/s"), before, terminal.used()?);
    terminal.types("\x03\x03")?;
    terminal.child.wait().context("the end of myim chat")?;

    let mut costs = Table::begin(
        "costs",
        &[
            ("what", &format!("{seconds} s each")),
            ("cpu_s", "processor, s"),
            ("written_bytes", "bytes written"),
        ],
    );
    costs.row(idle);
    costs.row(busy);
    println!();
    let mut typing = Table::begin(
        "typing",
        &[
            ("keys", "keys"),
            ("p50_ms", "from a key to its letter, p50, ms"),
            ("p99_ms", "p99, ms"),
            ("longest_ms", "longest, ms"),
        ],
    );
    typing.row([
        Cell::size(keys),
        Cell::micros(delays.value_at_quantile(0.5), 2),
        Cell::micros(delays.value_at_quantile(0.99), 2),
        Cell::micros(delays.max(), 1),
    ]);
    Ok(vec![costs, typing])
}

/// From each key until its letter is on the screen, in microseconds.
async fn type_keys(terminal: &mut Terminal, keys: usize) -> anyhow::Result<Histogram<u64>> {
    let mut delays = Histogram::<u64>::new(3)?;
    let mut text = String::new();
    for letter in ('a'..='z').cycle().take(keys) {
        text.push(letter);
        let line = text.clone();
        let begun = Instant::now();
        terminal.types(letter.encode_utf8(&mut [0; 4]))?;
        terminal.wait(|screen| screen.contains(&line))?;
        delays.record(u64::try_from(begun.elapsed().as_micros())?)?;
        if text.len() == 40 {
            text.clear();
            terminal.types("\x15")?;
            terminal.wait(|screen| screen.contains("Write a message"))?;
        }
        sleep(BETWEEN_KEYS).await;
    }
    Ok(delays)
}

fn row(what: &str, before: Used, after: Used) -> [Cell; 3] {
    [
        Cell::text(what),
        Cell::figure(after.processor_s - before.processor_s, 2),
        Cell::count(after.bytes - before.bytes),
    ]
}

/// Writes at a steady pace.
async fn write(from: &WebPerson, to: &str, (rate, seconds): (u32, u64)) -> anyhow::Result<()> {
    let mut live = from.live("all").await?;
    let mut pace = interval(Duration::from_secs(1) / rate.max(1));
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 0..u64::from(rate) * seconds {
        pace.tick().await;
        let frame = json!({"id": number, "op": "message.send", "to": {"user": to},
            "client_id": format!("terminal-{number}"),
            "segments": [{"type": "text", "text": format!("message number {number} on a busy screen")}]});
        live.say(&frame).await?;
    }
    Ok(())
}

impl Terminal {
    fn start(program: &Path, server: &Server, person: &WebPerson) -> anyhow::Result<Self> {
        let size = PtySize {
            rows: ROWS,
            cols: COLUMNS,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pty = native_pty_system().openpty(size)?;
        let directory = tempfile::tempdir()?.keep();
        let mut command = CommandBuilder::new(program);
        command.args(["chat", "--lang", "en"]);
        command.env("MYIM_SERVER", format!("http://{}", server.chat));
        command.env("MYIM_TOKEN", &person.token);
        command.env("MYIM_CONFIG_DIR", &directory);
        command.env("TERM", "xterm-256color");
        let child = pty.slave.spawn_command(command)?;
        drop(pty.slave);
        let rows = NonZeroU16::new(ROWS).context("rows")?;
        let columns = NonZeroU16::new(COLUMNS).context("columns")?;
        let seen = Seen {
            parser: Parser::new(rows, columns, 0),
            bytes: 0,
        };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        watch(pty.master.try_clone_reader()?, Arc::clone(&seen));
        Ok(Self {
            writer: pty.master.take_writer()?,
            _master: pty.master,
            child,
            seen,
        })
    }

    fn types(&mut self, keys: &str) -> anyhow::Result<()> {
        self.writer.write_all(keys.as_bytes())?;
        Ok(self.writer.flush()?)
    }

    fn wait(&self, there: impl Fn(&str) -> bool) -> anyhow::Result<()> {
        let (seen, changed) = &*self.seen;
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |seen: &mut Seen| !there(&seen.parser.screen().contents());
        let (seen, waited) = changed
            .wait_timeout_while(seen, PATIENCE, missing)
            .map_err(|_| anyhow!("the screen is gone"))?;
        let screen = seen.parser.screen().contents();
        ensure!(!waited.timed_out(), "not on the screen:\n{screen}");
        Ok(())
    }

    fn used(&self) -> anyhow::Result<Used> {
        let pid = self.child.process_id().context("myim chat has ended")?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let (_, fields) = stat.rsplit_once(") ").context("/proc/PID/stat")?;
        let mut fields = fields.split(' ').skip(11);
        let mut ticks =
            || -> anyhow::Result<f64> { Ok(fields.next().context("/proc/PID/stat")?.parse()?) };
        // Linux counts in hundredths of a second.
        let processor_s = (ticks()? + ticks()?) / 100.0;
        let seen = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Used {
            processor_s,
            bytes: seen.bytes,
        })
    }
}

fn watch(mut reader: Box<dyn Read + Send>, seen: Arc<(Mutex<Seen>, Condvar)>) {
    thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut piece) {
            let mut now = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
            now.parser.process(&piece[..count]);
            now.bytes += u64::try_from(count).unwrap_or(0);
            drop(now);
            seen.1.notify_all();
        }
    });
}
