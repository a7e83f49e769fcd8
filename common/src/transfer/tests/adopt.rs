//! Taking over the files of an original server.

use std::os::unix::fs::symlink;

use super::*;
use crate::blob::Blobs;
use crate::id::Millis;
use crate::transfer::{Adopted, Fate, import_files};

async fn import(
    server: &Server,
    class: BlobClass,
    from: &std::path::Path,
) -> (Adopted, Vec<String>) {
    let mut taken = Vec::new();
    let note = |name: &str, fate| {
        if !matches!(fate, Fate::Skipped(_) | Fate::Present) {
            taken.push(name.to_owned());
        }
    };
    let blobs = Blobs::open(&server.cache).unwrap();
    let adopted = import_files(&blobs, class, from, &*server.store, Millis(1), note).await;
    (adopted.unwrap(), taken)
}

#[tokio::test]
async fn an_original_directory_is_taken_over_once_and_left_as_it_was() {
    let original = tempfile::TempDir::new().unwrap();
    let put = |name: &str, content: &[u8]| {
        std::fs::write(original.path().join(name), content).unwrap();
    };
    let large = noise(3_000_000, 1);
    put(ABC, b"abc");
    put(&md5_hex(&large), &large);
    put(&"0".repeat(32), b"half of a file");
    put(&"1".repeat(32), b"");
    put("update.version", b"1.0");
    put(".DS_Store", b"x");
    put("a b", b"x");
    std::fs::create_dir(original.path().join("folder")).unwrap();
    symlink("/etc/passwd", original.path().join("2".repeat(32))).unwrap();

    let files = Server::start(lenient(BlobClass::File));
    let (adopted, taken) = import(&files, BlobClass::File, original.path()).await;
    let expected = Adopted {
        verified: 2,
        plain: 1,
        skipped: 6,
        ..Adopted::default()
    };
    assert_eq!((adopted, taken.len()), (expected, 3));
    assert_eq!(files.fetch(ABC).await.unwrap(), b"abc");
    assert!(files.fetch(&md5_hex(&large)).await.unwrap() == large);
    assert_eq!(files.fetch("update.version").await.unwrap(), b"1.0");
    assert_eq!(files.fetch(&"0".repeat(32)).await, None);
    let (again, taken) = import(&files, BlobClass::File, original.path()).await;
    assert_eq!((again.present, again.skipped, taken.len()), (3, 6, 0));

    let pictures = files.beside(lenient(BlobClass::Image));
    let (adopted, _) = import(&pictures, BlobClass::Image, original.path()).await;
    assert_eq!(
        (adopted.verified, adopted.unverified, adopted.plain),
        (2, 1, 0)
    );
    let half = pictures.fetch(&"0".repeat(32)).await;
    assert_eq!(half.unwrap(), b"half of a file");
    assert_eq!(std::fs::read_dir(original.path()).unwrap().count(), 9);
    assert_eq!(std::fs::read(original.path().join(ABC)).unwrap(), b"abc");
    until(|| files.unfinished() == 0).await;
}
