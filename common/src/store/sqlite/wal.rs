//! Looks at the write-ahead log before SQLite does.
//!
//! SQLite takes the first frame that is not what its checksum says for the end of the log, whatever
//! stands behind it: so a crash leaves no half commit. But a commit is synced before the next one
//! begins, so a crash can tear the last one only. Where several stand behind the first bad frame,
//! something is damaged that was saved, and SQLite would drop it and what follows without a word.
//!
//! The format is that of <https://www.sqlite.org/fileformat2.html#walformat>.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::store::StoreError;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// The first word, but for its last bit: that says in which order the checksum takes bytes.
const MAGIC: u32 = 0x377f_0682;
const PAGE_BYTES: std::ops::RangeInclusive<u32> = 512..=65_536;
/// What SQLite takes unless it is told otherwise.
const PAGE_BYTES_USUAL: u32 = 4096;
/// A crash can tear the last commit, and nothing but it.
const TORN_MAX: usize = 1;

/// Refuses a log of which more is damaged than a crash can tear.
pub(super) fn check(database: &Path) -> Result<(), StoreError> {
    let mut name: OsString = database.as_os_str().to_owned();
    name.push("-wal");
    let path = PathBuf::from(name);
    let failed =
        |error: &io::Error| StoreError::Unreachable(format!("{}: {error}", path.display()));
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(&error)),
    };
    let damage = damage(BufReader::new(file)).map_err(|error| failed(&error))?;
    damage.map_or(Ok(()), |Damage { at, commits }| {
        let path = path.display();
        Err(StoreError::Broken(format!(
            "{path} is damaged at byte {at}, and {commits} saved changes stand behind; \
             keep it and the database beside it as they are, and restore a backup"
        )))
    })
}

/// What is wrong with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Damage {
    /// Where the first bad frame begins; 0 if it is the header of the log.
    at: usize,
    /// Commits that stand there and behind it.
    commits: usize,
}

/// The two words that each checksum begins with, and ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sum {
    words: [u32; 2],
    is_big_endian: bool,
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let [mut first, mut second] = self.words;
        for pair in bytes.chunks_exact(8) {
            let (one, other) = (word(pair, 0), word(pair, 4));
            let order = |word: u32| match self.is_big_endian {
                true => word,
                false => word.swap_bytes(),
            };
            first = first.wrapping_add(order(one)).wrapping_add(second);
            second = second.wrapping_add(order(other)).wrapping_add(first);
        }
        self.words = [first, second];
    }
}

/// The big-endian word at this place.
fn word(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_be_bytes(four)
}

fn damage(mut log: impl Read) -> io::Result<Option<Damage>> {
    let mut header = [0; HEADER_BYTES];
    if !read_whole(&mut log, &mut header)? {
        return Ok(None);
    }
    let page = word(&header, 8);
    let is_plausible =
        word(&header, 0) & !1 == MAGIC && PAGE_BYTES.contains(&page) && page.is_power_of_two();
    let mut sum = Sum {
        words: [0, 0],
        is_big_endian: word(&header, 0) & 1 == 1,
    };
    sum.add(&header[..24]);
    let mut is_good = is_plausible && sum.words == [word(&header, 24), word(&header, 28)];
    // With a bad header, frames are looked for where they usually stand.
    let page = if is_plausible { page } else { PAGE_BYTES_USUAL };
    let mut salts = is_good.then(|| header[16..24].to_vec());
    let (mut bad_from, mut at) = (0, HEADER_BYTES);
    let mut commits = 0;
    let mut frame = vec![0; FRAME_HEADER_BYTES + usize::try_from(page).map_err(io::Error::other)?];
    while read_whole(&mut log, &mut frame)? {
        let salts = salts.get_or_insert_with(|| frame[8..16].to_vec());
        let is_of_this_log = frame[8..16] == **salts && word(&frame, 0) != 0;
        if is_good {
            sum.add(&frame[..8]);
            sum.add(&frame[FRAME_HEADER_BYTES..]);
            is_good = is_of_this_log && sum.words == [word(&frame, 16), word(&frame, 20)];
            bad_from = at;
        }
        let is_commit = word(&frame, 4) != 0;
        commits += usize::from(!is_good && is_of_this_log && is_commit);
        at += frame.len();
    }
    Ok((commits > TORN_MAX).then_some(Damage {
        at: bad_from,
        commits,
    }))
}

/// Whether so much was there.
fn read_whole(log: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    match log.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    const COMMITS: usize = 6;

    /// The log of a database in which so many changes were committed one by one.
    fn log() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("im.db");
        let conn = Connection::open(&path).unwrap();
        let mode: String = conn
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
            .unwrap();
        assert_eq!(mode, "wal");
        conn.execute_batch("CREATE TABLE t (n)").unwrap();
        for number in 1..COMMITS {
            conn.execute_batch(&format!("INSERT INTO t VALUES ({number})"))
                .unwrap();
        }
        check(&path).unwrap();
        std::fs::read(folder.path().join("im.db-wal")).unwrap()
    }

    /// Where each frame begins, and whether it ends a commit.
    fn frames(log: &[u8]) -> Vec<(usize, bool)> {
        let size = FRAME_HEADER_BYTES + usize::try_from(word(log, 8)).unwrap();
        let places = (HEADER_BYTES..log.len()).step_by(size);
        places.map(|at| (at, word(log, at + 4) != 0)).collect()
    }

    #[test]
    fn a_log_may_end_anywhere() {
        let log = log();
        for end in 0..=log.len() {
            assert_eq!(damage(&log[..end]).unwrap(), None, "{end}");
        }
    }

    #[test]
    fn a_flipped_bit_is_damage_unless_the_last_commit_may_be_torn() {
        let log = log();
        let frames = frames(&log);
        let commits = frames.iter().filter(|(_, is_commit)| *is_commit).count();
        assert_eq!(commits, COMMITS);
        for (number, (at, _)) in frames.iter().enumerate() {
            let behind = frames[number..].iter();
            let behind = behind.filter(|(_, is_commit)| *is_commit).count();
            // In the page, in the checksum.
            for place in [at + 16, at + 23, at + 24, at + 2000] {
                let mut log = log.clone();
                log[place] ^= 1;
                let expected = (behind > 1).then_some(Damage {
                    at: *at,
                    commits: behind,
                });
                assert_eq!(damage(&*log).unwrap(), expected, "{place}");
            }
        }
    }

    #[test]
    fn a_damaged_header_is_damage() {
        let log = log();
        for place in [0, 9, 11, 16, 25] {
            let mut log = log.clone();
            log[place] ^= 1;
            let damage = damage(&*log).unwrap().unwrap();
            assert_eq!((damage.at, damage.commits), (0, COMMITS), "{place}");
        }
    }

    #[test]
    fn what_an_earlier_log_left_behind_the_end_is_not_looked_at() {
        let mut log = log();
        let at = frames(&log)[2].0;
        for (place, _) in frames(&log).split_off(2) {
            log[place + 8] ^= 1;
        }
        assert_eq!(damage(&*log).unwrap(), None, "behind {at}");
    }
}
