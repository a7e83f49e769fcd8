//! Workers that are taken over: each thing they may try ends them and costs one picture, and
//! whatever they say instead of an answer is not believed.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::env::{self, consts::ARCH};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use common::blob::BlobFile;
use common::config::{ByteSize, PicturesConfig};
use common::pool::BlockingPool;
use image_server::picture::{Fault, Fit, Motion, Recipe, Wanted};
use image_server::worker::Confinement;
use image_server::{PicturePool, Program, StartError, Trouble};
use libc::c_long;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use tempfile::TempDir;
use tokio::runtime::Builder;

const THUMB: Recipe = Recipe {
    fit: Fit::Inside(8),
    motion: Motion::Still,
    wanted: Wanted::Common,
};

/// The server's program.
fn built() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_myimgserver"))
}

fn hostile() -> Program {
    let folder = built();
    let folder = folder.parent().expect("a program is in a folder");
    Program::at(folder.join("examples/hostile-worker"))
}

/// A pool, and the files that it gets.
struct Stage {
    pool: PicturePool,
    folder: TempDir,
}

impl Stage {
    fn new(program: &Program) -> Self {
        Self::with(program, |_| {})
    }

    fn with(program: &Program, change: impl FnOnce(&mut PicturesConfig)) -> Self {
        let mut config = PicturesConfig {
            picture_bytes_max: ByteSize(1 << 20),
            picture_pixels_max: 10_000,
            render_timeout_s: 1,
            ..PicturesConfig::default()
        };
        change(&mut config);
        Self {
            pool: PicturePool::open(&config, program).unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, content: &[u8]) -> BlobFile {
        let path = self.folder.path().join("picture");
        // Another file each time: the one before may still be read.
        let _ = fs::remove_file(&path);
        fs::write(&path, content).unwrap();
        let file = Arc::new(File::open(&path).unwrap());
        let length = u64::try_from(content.len()).unwrap();
        BlobFile::on_disk(file, length, BlockingPool::new(1))
    }

    /// What comes of a "picture" that makes the worker do this.
    async fn comes_of(&self, misdeed: &str) -> Result<(), Trouble> {
        let file = self.file(misdeed.as_bytes());
        self.pool.share(&file).await.map(|_| ())
    }
}

/// Whether this system ends a process for its calls. Every one should on which this is developed.
async fn ends_for_calls(stage: &Stage) -> bool {
    let confinement = stage.pool.confinement().await.unwrap();
    if !confinement.calls {
        let is_ci = env::var_os("CI").is_some_and(|value| !value.is_empty());
        assert!(
            !is_ci,
            "what a worker may call is to be tested where there is seccomp"
        );
        eprintln!("NOT TESTED: what a worker may call, because this system has no seccomp");
    }
    confinement.calls
}

/// Does something as on a system that does not have these calls.
fn without(calls: &[c_long], work: impl Future<Output = ()> + Send) {
    let unknown = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let rules = calls.iter().map(|call| (*call, Vec::new())).collect();
    let arch = ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, unknown, arch).unwrap();
    let filter: BpfProgram = filter.try_into().unwrap();
    // It holds for a thread and whatever is started from it.
    let there = move || {
        seccompiler::apply_filter(&filter).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work);
    };
    thread::scope(|scope| scope.spawn(there).join()).unwrap();
}

fn unreadable() -> Trouble {
    Fault::Broken("the server cannot read it".to_owned()).into()
}

#[tokio::test]
async fn what_decoding_does_not_need_ends_a_worker() {
    let stage = Stage::new(&hostile());
    if !ends_for_calls(&stage).await {
        return;
    }
    for misdeed in [
        "read a file",
        "write a file",
        "list a directory",
        "ask for a file",
        "remove a file",
        "connect",
        "listen",
        "send",
        "run a program",
        "start a thread",
        "end the server",
    ] {
        let came = stage.comes_of(misdeed).await;
        assert_eq!(came, Err(unreadable()), "{misdeed}");
        // The next picture meets another one.
        assert_eq!(stage.comes_of("nothing").await, Ok(()), "{misdeed}");
    }
    assert!(!Path::new("/tmp/of-a-picture").exists());
}

#[tokio::test]
async fn a_worker_that_fails_costs_one_picture() {
    let stage = Stage::new(&hostile());
    let too_much = Fault::Broken("it needs more memory than is allowed".to_owned());
    for (misdeed, trouble) in [
        ("take all memory", too_much.clone().into()),
        ("abort", too_much.into()),
        ("go on for ever", Fault::Slow.into()),
        ("end", unreadable()),
        ("panic", unreadable()),
        ("babble", unreadable()),
        ("say a page", unreadable()),
        ("say something else", unreadable()),
        ("promise too much", unreadable()),
        ("say half", unreadable()),
    ] {
        assert_eq!(stage.comes_of(misdeed).await, Err(trouble), "{misdeed}");
        assert_eq!(stage.comes_of("nothing").await, Ok(()), "{misdeed}");
    }
    // Nor is it an answer that fits another question.
    let file = stage.file(b"nothing");
    let made = stage.pool.render(&file, THUMB).await;
    assert_eq!(made, Err(unreadable()));
    let looked = stage.pool.look(&file).await;
    assert_eq!(looked, Err(unreadable()));
}

#[tokio::test]
async fn pictures_beside_a_bad_one_are_not_disturbed() {
    let stage = Stage::new(&hostile());
    let bad = stage.comes_of("go on for ever");
    let beside = async {
        for _ in 0..20 {
            assert_eq!(stage.comes_of("nothing").await, Ok(()));
        }
    };
    let (came, ()) = tokio::join!(bad, beside);
    assert_eq!(came, Err(Fault::Slow.into()));
}

#[tokio::test]
async fn the_program_itself_is_such_a_worker() {
    let stage = Stage::new(&Program::at(built()));
    ends_for_calls(&stage).await;
    let no_picture = stage.comes_of("read a file").await;
    assert!(
        matches!(no_picture, Err(Trouble::Fault(Fault::Unsupported(_)))),
        "{no_picture:?}"
    );
}

#[tokio::test]
async fn a_system_that_has_less_is_told_and_does_with_it() {
    let here = Stage::new(&hostile());
    if !ends_for_calls(&here).await {
        return;
    }
    let here = here.pool.confinement().await.unwrap();
    without(&[libc::SYS_seccomp], async {
        let stage = Stage::new(&hostile());
        let there = stage.pool.confinement().await.unwrap();
        let less = Confinement {
            calls: false,
            ..here
        };
        assert_eq!(there, less);
        // What it may call is not looked at, and it still has limits.
        assert_eq!(stage.comes_of("ask for a file").await, Ok(()));
        let much = stage.comes_of("take all memory").await;
        assert!(matches!(much, Err(Trouble::Fault(Fault::Broken(_)))));
    });
    let both = [libc::SYS_seccomp, libc::SYS_landlock_create_ruleset];
    without(&both, async {
        let stage = Stage::new(&hostile());
        let there = stage.pool.confinement().await.unwrap();
        assert_eq!(there, Confinement::default());
        assert_eq!(stage.comes_of("nothing").await, Ok(()));
        // Somebody wants it otherwise.
        let demanding = |config: &mut PicturesConfig| config.require_picture_sandbox = true;
        let stage = Stage::with(&hostile(), demanding);
        let refused = stage.pool.confinement().await;
        let Err(StartError::Refused(why)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(why, "this system has no seccomp");
        assert_eq!(stage.comes_of("nothing").await, Err(Trouble::NoWorker));
    });
    let demanding = |config: &mut PicturesConfig| config.require_picture_sandbox = true;
    let stage = Stage::with(&hostile(), demanding);
    assert_eq!(stage.comes_of("nothing").await, Ok(()));
}
