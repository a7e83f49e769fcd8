//! Has pairs of connections relay messages with so many under way, and counts what is delivered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::bail;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::line::{Line, now_us, text_with};
use crate::proc;

/// A longer delay counts as this.
const DELAY_US_MAX: u64 = 60_000_000;

/// What was measured.
pub(crate) struct Measured {
    /// From the sending of a message to its arrival, in microseconds.
    pub delays: Histogram<u64>,
    pub elapsed_s: f64,
    pub server_s: f64,
    pub generator_s: f64,
}

/// What all connections share.
pub(crate) struct Run {
    began_us: u64,
    counts: AtomicBool,
    delays: Mutex<Histogram<u64>>,
}

impl Run {
    pub(crate) fn new() -> anyhow::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            began_us: now_us(),
            counts: AtomicBool::new(false),
            delays: Mutex::new(Histogram::new_with_max(DELAY_US_MAX, 3)?),
        }))
    }

    /// Whether what was sent then is no backlog of a run before this one.
    fn is_of_this_run(&self, sent_us: u64) -> bool {
        sent_us >= self.began_us
    }

    /// Notes messages that were sent then and arrived now.
    pub(crate) fn arrived(&self, sent_us: &[u64]) {
        if !self.counts.load(Ordering::Relaxed) {
            return;
        }
        let now_us = now_us();
        let mut delays = self.delays.lock().unwrap_or_else(PoisonError::into_inner);
        for sent_us in sent_us {
            delays.saturating_record(now_us.saturating_sub(*sent_us).max(1));
        }
    }

    /// Warms up, counts for so long, and ends the tasks.
    pub(crate) async fn measure(
        &self,
        tasks: JoinSet<anyhow::Result<()>>,
        server: u32,
        (warm_up, lasts): (Duration, Duration),
    ) -> anyhow::Result<Measured> {
        tokio::time::sleep(warm_up).await;
        let (server_before, own_before) = (proc::processor_s(server)?, proc::own_processor_s()?);
        let elapsed_s = self.count(lasts).await;
        let server_s = proc::processor_s(server)? - server_before;
        let generator_s = proc::own_processor_s()? - own_before;
        Ok(Measured {
            delays: self.end(tasks).await?,
            elapsed_s,
            server_s,
            generator_s,
        })
    }

    /// Notes what arrives in so long a time; returns how many seconds it was.
    pub(crate) async fn count(&self, lasts: Duration) -> f64 {
        let began = Instant::now();
        self.counts.store(true, Ordering::Relaxed);
        tokio::time::sleep(lasts).await;
        self.counts.store(false, Ordering::Relaxed);
        began.elapsed().as_secs_f64()
    }

    /// Ends the tasks, of which none may have ended by itself; returns the delays that were noted.
    pub(crate) async fn end(
        &self,
        mut tasks: JoinSet<anyhow::Result<()>>,
    ) -> anyhow::Result<Histogram<u64>> {
        if let Some(ended) = tasks.try_join_next() {
            ended??;
            bail!("a connection ended");
        }
        tasks.shutdown().await;
        let delays = self.delays.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(delays.clone())
    }
}

/// Each first of a pair writes to the second, and writes again when that has it.
pub(crate) fn start(
    pairs: Vec<(Line, Line)>,
    window: usize,
) -> anyhow::Result<(Arc<Run>, JoinSet<anyhow::Result<()>>)> {
    let run = Run::new()?;
    let mut tasks = JoinSet::new();
    for (sender, receiver) in pairs {
        tasks.spawn(keep_writing(Arc::clone(&run), sender, receiver, window));
    }
    Ok((run, tasks))
}

async fn keep_writing(
    run: Arc<Run>,
    mut sender: Line,
    mut receiver: Line,
    window: usize,
) -> anyhow::Result<()> {
    sender.send(&text_with(now_us()), window).await?;
    let mut sent_us = Vec::with_capacity(window);
    loop {
        tokio::select! {
            ready = receiver.readable() => {
                ready?;
                sent_us.clear();
                receiver.read(|mark| sent_us.push(mark)).await?;
                sent_us.retain(|sent_us| run.is_of_this_run(*sent_us));
                if !sent_us.is_empty() {
                    run.arrived(&sent_us);
                    sender.send(&text_with(now_us()), sent_us.len()).await?;
                }
            }
            ready = sender.readable() => {
                ready?;
                sender.read(|_| {}).await?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::PoisonError;
    use std::sync::atomic::Ordering;

    use super::Run;
    use crate::line::now_us;

    #[test]
    fn a_delay_is_noted_as_long_as_it_was() {
        let run = Run::new().unwrap();
        run.counts.store(true, Ordering::Relaxed);
        let five_ms_us = 5_000;
        while now_us() < five_ms_us {
            std::thread::yield_now();
        }
        run.arrived(&[now_us() - five_ms_us]);
        let delays = run.delays.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(delays.value_at_quantile(0.5) >= five_ms_us - 50);
    }
}
