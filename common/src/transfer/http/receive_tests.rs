//! Tests of taking bodies in.

use axum::body::Body;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::*;

/// Keeps what comes.
#[derive(Default)]
struct Kept(Vec<Bytes>);

impl Sink for Kept {
    async fn write(&mut self, piece: Bytes) -> Result<(), BlobError> {
        self.0.push(piece);
        Ok(())
    }
}

impl Kept {
    fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }
}

fn budget() -> Budget {
    Budget::new(1 << 20)
}

fn pace(budget: &Budget) -> Pace<'_> {
    let grace = Duration::from_secs(15);
    Pace { budget, grace }
}

/// A body that sends `count` pieces of `size` bytes, each after a wait.
fn body(count: usize, size: usize, wait: Duration) -> Body {
    let pieces = stream::unfold(0, move |sent| async move {
        if sent == count {
            return None;
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Some((Ok::<_, std::io::Error>(vec![7; size]), sent + 1))
    });
    Body::from_stream(pieces)
}

async fn take(body: &mut Body, most: u64, kept: &mut Kept) -> End {
    let never = CancellationToken::new();
    receive(body, most, kept, pace(&budget()), &never)
        .await
        .unwrap()
}

#[tokio::test]
async fn small_frames_become_large_pieces_and_nothing_is_lost() {
    let mut kept = Kept::default();
    let mut body = body(1000, 1000, Duration::ZERO);
    assert_eq!(take(&mut body, u64::MAX, &mut kept).await, End::Whole);
    assert_eq!(kept.len(), 1_000_000);
    assert!(kept.0.len() <= 16, "{} pieces", kept.0.len());
}

#[tokio::test(start_paused = true)]
async fn who_was_fast_once_holds_no_large_piece() {
    let first = stream::iter([Ok::<_, std::io::Error>(vec![7; 40 << 10])]);
    let rest = body(100, 4 << 10, Duration::from_millis(50)).into_data_stream();
    let rest = rest.map_ok(|bytes| bytes.to_vec());
    let rest = rest.map_err(std::io::Error::other);
    let mut body = Body::from_stream(first.chain(rest));
    let mut kept = Kept::default();
    assert_eq!(take(&mut body, u64::MAX, &mut kept).await, End::Whole);
    assert_eq!(kept.len(), 440 << 10);
    let largest = kept.0.iter().map(Bytes::len).max();
    assert_eq!(largest, Some(PIECE_BYTES));
}

#[tokio::test]
async fn what_is_too_much_is_left_out() {
    let mut kept = Kept::default();
    let mut exact = body(10, 10, Duration::ZERO);
    assert_eq!(take(&mut exact, 100, &mut kept).await, End::Whole);
    let mut kept = Kept::default();
    let mut longer = body(10, 10, Duration::ZERO);
    assert_eq!(take(&mut longer, 95, &mut kept).await, End::TooMuch);
    assert_eq!(kept.len(), 95);
}

#[tokio::test(start_paused = true)]
async fn row_59_a_kibibyte_a_second_is_enough_and_less_is_not() {
    let mut kept = Kept::default();
    let mut slow = body(100, 1024, Duration::from_secs(1));
    assert_eq!(take(&mut slow, u64::MAX, &mut kept).await, End::Whole);
    let mut kept = Kept::default();
    let mut slower = body(1000, 100, Duration::from_secs(1));
    assert_eq!(take(&mut slower, u64::MAX, &mut kept).await, End::Slow);
    // What came until then is kept.
    assert!((1000..=1700).contains(&kept.len()), "{}", kept.len());
    let mut kept = Kept::default();
    let mut silent = body(2, 1 << 20, Duration::from_secs(16));
    assert_eq!(take(&mut silent, u64::MAX, &mut kept).await, End::Slow);
}

#[tokio::test]
async fn a_broken_body_is_told_from_a_whole_one() {
    let pieces = [Ok("abc"), Err(std::io::Error::other("reset"))];
    let mut body = Body::from_stream(stream::iter(pieces));
    let mut kept = Kept::default();
    assert_eq!(take(&mut body, u64::MAX, &mut kept).await, End::Broken);
    assert_eq!(kept.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_preempted_saves_what_came() {
    let mut kept = Kept::default();
    let mut body = body(10, 10, Duration::from_secs(1));
    let preempted = CancellationToken::new();
    let asked = preempted.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(3500)).await;
        asked.cancel();
    });
    let budget = budget();
    let end = receive(&mut body, u64::MAX, &mut kept, pace(&budget), &preempted).await;
    assert_eq!(end.unwrap(), End::Preempted);
    assert_eq!(kept.len(), 30);
}
