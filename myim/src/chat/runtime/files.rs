//! Files: names that are completed, uploads and downloads.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use client::transfer::{Download, Shelf, Upload, Uploaded};
use common::config::PersonalEnvironment;
use tokio::sync::mpsc;

use super::network::Link;
use crate::chat::message::{FileOf, News, Progress};

/// Names that are shown of those that begin so.
const CHOICES_MAX: usize = 200;
/// The screen is told of the progress this often.
const TOLD_EVERY: Duration = Duration::from_millis(200);

/// `~` is where one is at home.
fn resolve(path: &str) -> PathBuf {
    match path
        .strip_prefix("~/")
        .zip(PersonalEnvironment::read().home)
    {
        Some((rest, home)) => home.join(rest),
        None => PathBuf::from(path),
    }
}

/// Goes on with the name as far as it is clear, and tells what it may become.
pub(super) async fn complete(link: &Link, ticket: u64, path: String) {
    let answer = tokio::task::spawn_blocking(move || completed(&path)).await;
    if let Ok((path, choices)) = answer {
        let news = News::Completed {
            ticket,
            path,
            choices,
        };
        link.tell(news).await;
    }
}

fn completed(path: &str) -> (String, Vec<String>) {
    let (folder, begins) = path
        .rsplit_once('/')
        .map_or(("", path), |(folder, name)| (&path[..=folder.len()], name));
    let directory = if folder.is_empty() {
        PathBuf::from(".")
    } else {
        resolve(folder)
    };
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let hidden = name.starts_with('.') && !begins.starts_with('.');
            let is_folder = entry.path().is_dir();
            let fits = name.starts_with(begins) && !hidden;
            fits.then(|| if is_folder { format!("{name}/") } else { name })
        })
        .collect();
    names.sort();
    let common = common_start(&names).unwrap_or(begins);
    let longer = format!("{folder}{common}");
    let is_clear = names.len() == 1;
    let choices = if is_clear { Vec::new() } else { names };
    (longer, choices.into_iter().take(CHOICES_MAX).collect())
}

/// What all names begin with.
fn common_start(names: &[String]) -> Option<&str> {
    let (first, rest) = names.split_first()?;
    let mut end = first.len();
    for name in rest {
        let same = first.bytes().zip(name.bytes()).take_while(|(a, b)| a == b);
        end = end.min(same.count());
    }
    while !first.is_char_boundary(end) {
        end -= 1;
    }
    Some(&first[..end])
}

/// Uploads a file; a picture goes to the picture server. What that one cannot show goes as a file.
pub(super) async fn upload(link: Link, id: u64, path: String) {
    let path = resolve(&path);
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let mut shelf = if is_picture(&path) {
        Shelf::Pictures
    } else {
        Shelf::Files
    };
    let mut uploaded = carry(&link, id, &path, shelf).await;
    if is_no_picture(&uploaded) {
        shelf = Shelf::Files;
        uploaded = carry(&link, id, &path, shelf).await;
    }
    let progress = match uploaded {
        Ok(uploaded) if shelf == Shelf::Pictures => {
            Progress::Uploaded(uploaded.as_picture(Some(&name)))
        }
        Ok(uploaded) => Progress::Uploaded(uploaded.as_file(&name)),
        Err(error) => ended_badly(&error),
    };
    link.tell(News::Transfer { id, progress }).await;
}

async fn carry(link: &Link, id: u64, path: &Path, shelf: Shelf) -> client::Result<Uploaded> {
    let (moved, watching) = mpsc::channel(1);
    let upload = Upload::new(path, shelf).remembered_in(&link.unfinished);
    let uploading = async {
        let mut told = None;
        let uploading = link
            .api
            .upload(&upload, |step| report(&moved, &mut told, &step));
        let uploaded = uploading.await;
        drop(moved);
        uploaded
    };
    let (uploaded, ()) = tokio::join!(uploading, watch(link, id, watching));
    uploaded
}

fn ended_badly(error: &client::Error) -> Progress {
    let reason = error.to_string();
    match error {
        client::Error::File { .. } => Progress::Unusable(reason),
        _ => Progress::Failed(reason),
    }
}

fn is_no_picture(uploaded: &client::Result<Uploaded>) -> bool {
    let code = uploaded.as_ref().err().and_then(client::Error::code);
    code.is_some_and(|code| code.starts_with("picture_"))
}

/// Tells now and then; what the screen has no time for is left out.
fn report(
    moved: &mpsc::Sender<(u64, u64)>,
    told: &mut Option<Instant>,
    step: &client::transfer::Progress,
) {
    let client::transfer::Progress::Moved { done, total } = *step else {
        return;
    };
    let soon = told.is_some_and(|told| told.elapsed() < TOLD_EVERY);
    if !soon && moved.try_send((done, total)).is_ok() {
        *told = Some(Instant::now());
    }
}

async fn watch(link: &Link, id: u64, mut moved: mpsc::Receiver<(u64, u64)>) {
    while let Some((done, total)) = moved.recv().await {
        let progress = Progress::Moved(done, total);
        link.tell(News::Transfer { id, progress }).await;
    }
}

pub(super) async fn cancelled(link: &Link, id: u64) {
    let progress = Progress::Cancelled;
    link.tell(News::Transfer { id, progress }).await;
}

/// Whether a file looks like a picture that the image server takes, by the end of its name.
fn is_picture(path: &Path) -> bool {
    let end = path
        .extension()
        .map(|end| end.to_string_lossy().to_lowercase());
    matches!(
        end.as_deref(),
        Some("png" | "jpg" | "jpeg" | "gif" | "webp" | "bmp")
    )
}

/// Downloads a file of a message.
pub(super) async fn download(link: Link, id: u64, file: FileOf, path: String) {
    let path = resolve(&path);
    let (moved, watching) = mpsc::channel(1);
    let download = Download::new(file.content, &path);
    let downloading = async {
        let mut told = None;
        let downloading = link
            .api
            .download(&download, |step| report(&moved, &mut told, &step));
        let downloaded = downloading.await;
        drop(moved);
        downloaded
    };
    let (downloaded, ()) = tokio::join!(downloading, watch(&link, id, watching));
    let progress = match downloaded {
        Ok(_) => Progress::Saved(path),
        Err(error) => ended_badly(&error),
    };
    link.tell(News::Transfer { id, progress }).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_completed_as_far_as_it_is_clear() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["report-1.pdf", "report-2.pdf", "你好.txt", ".hidden"] {
            std::fs::write(directory.path().join(name), "x").unwrap();
        }
        std::fs::create_dir(directory.path().join("sub")).unwrap();
        let base = directory.path().display().to_string();
        let complete = |begins: &str| {
            let (path, choices) = completed(&format!("{base}/{begins}"));
            (path[base.len() + 1..].to_owned(), choices)
        };
        let two = vec!["report-1.pdf".to_owned(), "report-2.pdf".to_owned()];
        assert_eq!(complete("re"), ("report-".to_owned(), two));
        assert_eq!(complete("你"), ("你好.txt".to_owned(), vec![]));
        assert_eq!(complete("s"), ("sub/".to_owned(), vec![]));
        assert_eq!(complete("none"), ("none".to_owned(), vec![]));
        assert_eq!(complete("").1.len(), 4);
        assert_eq!(complete(".h").0, ".hidden");
    }
}
