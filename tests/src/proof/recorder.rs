//! Writes a history while many threads make it, and tells whoever waits how much has happened.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::history::{self, Event, Line};

/// A history that is being made.
pub struct Recorder {
    began: Instant,
    made: Mutex<Made>,
    grown: Condvar,
}

#[derive(Default)]
struct Made {
    events: Vec<Event>,
    file: Option<BufWriter<File>>,
    acknowledged: u64,
    uploaded: u64,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    /// One that keeps what happens in memory, and in this file if one is named.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn new(file: Option<&Path>) -> io::Result<Self> {
        let file = file.map(File::create).transpose()?.map(BufWriter::new);
        Ok(Self {
            began: Instant::now(),
            made: Mutex::new(Made {
                file,
                ..Made::default()
            }),
            grown: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Made> {
        self.made.lock().expect("no holder of this lock panics")
    }

    /// Something happened.
    pub fn note(&self, event: Event) {
        let at_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut made = self.lock();
        if let Some(file) = &mut made.file {
            let line = Line {
                at_ms,
                event: event.clone(),
            };
            if let Err(error) = history::write(file, &line) {
                eprintln!("the history is not written any more: {error}");
                made.file = None;
            }
        }
        made.acknowledged += u64::from(is_acknowledged(&event));
        made.uploaded += u64::from(matches!(event, Event::Uploaded { .. }));
        made.events.push(event);
        self.grown.notify_all();
    }

    /// How much the server has acknowledged so far, messages and files.
    pub fn acknowledged(&self) -> u64 {
        self.lock().acknowledged
    }

    /// How many files of them.
    pub fn uploaded(&self) -> u64 {
        self.lock().uploaded
    }

    /// How much has happened so far.
    pub fn length(&self) -> usize {
        self.lock().events.len()
    }

    /// Waits until so much more has happened, of whatever kind; says whether it did in time.
    pub fn grows_by(&self, count: usize, patience: Duration) -> bool {
        let made = self.lock();
        let wanted = made.events.len() + count;
        let waiting = |made: &mut Made| made.events.len() < wanted;
        let (_made, waited) = self
            .grown
            .wait_timeout_while(made, patience, waiting)
            .expect("no holder of this lock panics");
        !waited.timed_out()
    }

    /// The whole history; the file is complete then.
    ///
    /// # Errors
    /// When the rest of the file cannot be written.
    pub fn finish(self) -> io::Result<Vec<Event>> {
        let mut made = self.made.into_inner().expect("nobody holds the lock");
        if let Some(file) = &mut made.file {
            file.flush()?;
        }
        Ok(made.events)
    }
}

fn is_acknowledged(event: &Event) -> bool {
    matches!(event, Event::Acknowledged { .. } | Event::Uploaded { .. })
}
