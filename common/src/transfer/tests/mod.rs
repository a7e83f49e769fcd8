//! Whole transfers over real sockets. The numbers are the rows of the compatibility checklist.

mod adopt;
mod bad_input;
mod limits;
mod vectors;

use super::testing::{Client, Server, lenient, md5_hex, noise, put_string, request, until};
use crate::store::BlobClass;

const ABC: &str = "900150983cd24fb0d6963f7d28e17f72";

fn unhex(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

fn answers(list: &[(i32, &str)]) -> Vec<(i32, String)> {
    list.iter()
        .map(|(code, at)| (*code, (*at).to_owned()))
        .collect()
}

#[tokio::test]
async fn row_81_three_bytes_go_up_and_come_down_as_the_specification_writes_them() {
    let server = Server::start(lenient(BlobClass::File));
    let mut client = server.connect().await;
    let name = "39303031353039383363643234666230643639363366376432386531376637 32";
    let upload = "3700000000000000 00000037 0000 00000001 00000000 20 NAME 0130 0133 03616263";
    client.send(&unhex(&upload.replace("NAME", name))).await;
    let complete = "3800000000000000 00000038 0000 00000002 00000000 00000002 20 NAME 0133 0133 00";
    assert_eq!(
        client.frame().await.unwrap(),
        unhex(&complete.replace("NAME", name))
    );
    let download = "3800000000000000 00000038 0000 00000003 00000000 20 NAME 0130 0130 00 00000000";
    client.send(&unhex(&download.replace("NAME", name))).await;
    let content =
        "3b00000000000000 0000003b 0000 00000004 00000000 00000002 20 NAME 0130 0133 03616263";
    assert_eq!(
        client.frame().await.unwrap(),
        unhex(&content.replace("NAME", name))
    );
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let stored = server.cache.join("blobs/ba/78").join(hash);
    assert_eq!(std::fs::read(stored).unwrap(), b"abc");
}

#[tokio::test]
async fn row_82_and_89_a_large_file_in_pieces_of_512_kib() {
    let server = Server::start(lenient(BlobClass::File));
    let content = noise(1_200_000, 1);
    let name = md5_hex(&content);
    let mut client = server.connect().await;
    let said = client.upload(&name, &content, 524_288).await;
    assert_eq!(said, answers(&[(1, "0"), (1, "524288"), (2, "1200000")]));

    let mut got = Vec::new();
    for (code, offset, len) in [
        (1, "0", 524_288),
        (1, "524288", 524_288),
        (2, "1048576", 151_424),
    ] {
        let reply = client.download(&name, 0).await;
        assert_eq!(
            (reply.code, reply.offset.as_str(), reply.data.len()),
            (code, offset, len)
        );
        assert_eq!(reply.size, "1200000");
        got.extend_from_slice(&reply.data);
    }
    assert!(got == content);
    // After the last part a file begins again.
    assert_eq!(client.download(&name, 0).await.offset, "0");
}

/// As Android counts: the total leaves out its six bytes, the size adds up signed bytes.
fn android_piece(name: &str, offset: usize, size: usize, data: &[u8]) -> Vec<u8> {
    let mut fields = [1_i32.to_be_bytes(), 7_i32.to_be_bytes()].concat();
    put_string(&mut fields, name.as_bytes());
    put_string(&mut fields, offset.to_string().as_bytes());
    put_string(&mut fields, size.to_string().as_bytes());
    put_string(&mut fields, data);
    let body = u32::try_from(fields.len() + 6).unwrap();
    let [b0, b1, b2, b3] = body.to_le_bytes().map(|b| i32::from(b.cast_signed()));
    let wrong = (b0 << 24)
        .wrapping_add(b1 << 16)
        .wrapping_add(b2 << 8)
        .wrapping_add(b3);
    let mut frame = wrong.to_be_bytes().to_vec();
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(&(body - 6).to_be_bytes());
    frame.extend_from_slice(&[0; 2]);
    frame.extend_from_slice(&fields);
    frame
}

#[tokio::test]
async fn row_83_android_sends_wrong_sizes_and_is_understood() {
    let server = Server::start(lenient(BlobClass::Image));
    // The last piece has 36,160 bytes: bit 15 of the size is set, so the header is wrong.
    let content = noise(3 * 65_536 + 36_160, 2);
    let name = md5_hex(&content);
    let mut client = server.connect().await;
    let mut codes = Vec::new();
    for (index, data) in content.chunks(65_536).enumerate() {
        let frame = android_piece(&name, index * 65_536, content.len(), data);
        client.send(&frame).await;
        codes.push(client.reply().await.code);
    }
    assert_eq!(codes, [1, 1, 1, 2]);
    assert!(server.fetch(&name).await.unwrap() == content);
}

#[tokio::test]
async fn row_84_what_is_here_need_not_be_sent() {
    let server = Server::start(lenient(BlobClass::File));
    let content = noise(100_000, 3);
    let name = md5_hex(&content);
    let mut client = server.connect().await;
    client.upload(&name, &content, 524_288).await;
    for mut client in [client, server.connect().await] {
        let said = client.upload(&name, &content, 60_000).await;
        assert_eq!(said, answers(&[(2, "100000")]));
    }
    // In capitals it is the same file; the answer has the capitals.
    let said = server
        .connect()
        .await
        .upload(&name.to_uppercase(), &content, 60_000)
        .await;
    assert_eq!(said, answers(&[(2, "100000")]));
    assert!(server.fetch(&name.to_uppercase()).await.unwrap() == content);
    // Even a piece from the middle, and an empty one, are answered so.
    let mut client = server.connect().await;
    client.piece(name.as_bytes(), 60_000, 100_000, b"").await;
    assert_eq!(client.reply().await.code, 2);
}

#[tokio::test]
async fn row_84_a_file_that_the_disk_lost_is_taken_again() {
    let server = Server::start(lenient(BlobClass::File));
    server.connect().await.upload(ABC, b"abc", 2).await;
    std::fs::remove_dir_all(server.cache.join("blobs/ba")).unwrap();
    assert_eq!(server.fetch(ABC).await, None);
    let said = server.connect().await.upload(ABC, b"abc", 2).await;
    assert_eq!(said, answers(&[(1, "0"), (2, "3")]));
    assert_eq!(server.fetch(ABC).await.unwrap(), b"abc");
}

#[tokio::test]
async fn row_86_what_was_not_finished_was_never_there() {
    let server = Server::start(lenient(BlobClass::File));
    let mut client = server.connect().await;
    client.piece(ABC.as_bytes(), 0, 3, b"ab").await;
    assert_eq!(client.reply().await.code, 1);
    assert_eq!(server.unfinished(), 1);
    assert_eq!(server.fetch(ABC).await, None);
    drop(client);
    until(|| server.unfinished() == 0).await;
    assert_eq!(server.fetch(ABC).await, None);
    // Cut off in the middle of a piece.
    let mut client = server.connect().await;
    let frame = request(1, 0, ABC.as_bytes(), (0, 3), b"abc", &[]);
    client.send(&frame[..frame.len() - 1]).await;
    drop(client);
    until(|| server.unfinished() == 0).await;
    assert_eq!(server.fetch(ABC).await, None);
    server.connect().await.upload(ABC, b"abc", 3).await;
    assert_eq!(server.fetch(ABC).await.unwrap(), b"abc");
}

#[tokio::test]
async fn row_87_pictures_that_do_not_match_their_name_are_served_until_one_does() {
    let server = Server::start(lenient(BlobClass::Image));
    let said = server.connect().await.upload(ABC, b"camera", 4).await;
    assert_eq!(said, answers(&[(1, "0"), (2, "6")]));
    assert_eq!(server.fetch(ABC).await.unwrap(), b"camera");
    server.connect().await.upload(ABC, b"another", 9).await;
    assert_eq!(server.fetch(ABC).await.unwrap(), b"another");
    let mut late = server.connect().await;
    late.piece(ABC.as_bytes(), 0, 4, b"la").await;
    assert_eq!(late.reply().await.code, 1);
    let said = server.connect().await.upload(ABC, b"abc", 2).await;
    assert_eq!(said, answers(&[(1, "0"), (2, "3")]));
    // One that was under way meanwhile, and one that comes later, change nothing any more.
    late.piece(ABC.as_bytes(), 2, 4, b"te").await;
    assert_eq!(late.reply().await.code, 2);
    let said = server.connect().await.upload(ABC, b"camera", 4).await;
    assert_eq!(said, answers(&[(2, "6")]));
    assert_eq!(server.fetch(ABC).await.unwrap(), b"abc");
}

#[tokio::test]
async fn row_87_a_file_that_does_not_match_its_name_is_not_published() {
    let server = Server::start(lenient(BlobClass::File));
    let mut client = server.connect().await;
    client.piece(ABC.as_bytes(), 0, 3, b"abd").await;
    client.closed().await;
    assert_eq!(server.fetch(ABC).await, None);
    until(|| server.unfinished() == 0).await;
    assert_eq!(
        std::fs::read_dir(server.cache.join("blobs"))
            .unwrap()
            .count(),
        0
    );
}

#[tokio::test]
async fn row_88_uploads_of_one_name_do_not_know_of_each_other() {
    let server = Server::start(lenient(BlobClass::File));
    let content = noise(150_000, 4);
    let name = md5_hex(&content);
    let (mut one, mut two) = (server.connect().await, server.connect().await);
    for (index, data) in content.chunks(50_000).enumerate() {
        let offset = i64::try_from(index).unwrap() * 50_000;
        for client in [&mut one, &mut two] {
            client.piece(name.as_bytes(), offset, 150_000, data).await;
            let code = if index == 2 { 2 } else { 1 };
            assert_eq!(client.reply().await.code, code);
        }
    }
    assert!(server.fetch(&name).await.unwrap() == content);
}

#[tokio::test]
async fn row_90_and_91_parts_end_where_the_file_does() {
    let server = Server::start(lenient(BlobClass::File));
    let content = noise(524_288, 5);
    let name = md5_hex(&content);
    let mut client = server.connect().await;
    let said = client.upload(&name, &content, 524_288).await;
    assert_eq!(said, answers(&[(2, "524288")]));
    let reply = client.download(&name, 0).await;
    assert_eq!((reply.code, reply.data.len()), (2, 524_288));
    for index in 0..8 {
        let reply = client.download(&name, 1).await;
        assert_eq!(reply.data, content[index * 65_536..][..65_536]);
        assert_eq!(reply.code, if index == 7 { 2 } else { 1 });
    }
}

#[tokio::test]
async fn row_92_android_asks_with_a_field_too_many() {
    let server = Server::start(lenient(BlobClass::Image));
    server.connect().await.upload(ABC, b"abc", 3).await;
    let mut client = server.connect().await;
    let frame = request(3, 9, ABC.as_bytes(), (0, 0), b"", &[0, 0, 0, 0, 1]);
    client.send(&frame).await;
    let reply = client.reply().await;
    assert_eq!((reply.code, &reply.data[..]), (2, &b"abc"[..]));
}

#[tokio::test]
async fn row_93_a_missing_file_disturbs_nothing() {
    let server = Server::start(lenient(BlobClass::File));
    let content = noise(600_000, 6);
    let name = md5_hex(&content);
    let mut client = server.connect().await;
    client.upload(&name, &content, 524_288).await;
    client.upload(ABC, b"abc", 3).await;
    assert_eq!(client.download(&name, 0).await.code, 1);
    let reply = client.download(&"0".repeat(32), 0).await;
    let told = (reply.code, &*reply.offset, &*reply.size, reply.data.len());
    assert_eq!(told, (3, "0", "0", 0));
    assert_eq!(client.download(&name, 0).await.offset, "524288");
    // Another name begins that file, and coming back begins the first one again.
    assert_eq!(client.download(&name, 0).await.code, 1);
    assert_eq!(client.download(ABC, 0).await.data, b"abc");
    assert_eq!(client.download(&name, 0).await.offset, "0");
}

#[tokio::test]
async fn row_94_update_files_stand_in_the_file_cache() {
    let server = Server::start(lenient(BlobClass::File));
    std::fs::write(server.cache.join("update.version"), b"1.0\r\n").unwrap();
    std::fs::write(server.cache.join("empty.zip"), b"").unwrap();
    std::fs::write(server.cache.join(".hidden"), b"secret").unwrap();
    assert_eq!(server.fetch("update.version").await.unwrap(), b"1.0\r\n");
    for absent in [
        "update2.version",
        "empty.zip",
        ".hidden",
        "tmp",
        "blobs",
        "../etc/passwd",
    ] {
        assert_eq!(server.fetch(absent).await, None, "{absent}");
    }
    let pictures = server.beside(lenient(BlobClass::Image));
    assert_eq!(pictures.fetch("update.version").await.unwrap(), b"1.0\r\n");
}

#[tokio::test]
async fn row_97_files_and_pictures_have_names_of_their_own() {
    let files = Server::start(lenient(BlobClass::File));
    let pictures = files.beside(lenient(BlobClass::Image));
    files.connect().await.upload(ABC, b"abc", 3).await;
    assert_eq!(pictures.fetch(ABC).await, None);
    let said = pictures.connect().await.upload(ABC, b"abc", 2).await;
    assert_eq!(said, answers(&[(1, "0"), (2, "3")]));
    assert_eq!(pictures.fetch(ABC).await.unwrap(), b"abc");
}

#[tokio::test]
async fn a_connection_may_upload_one_file_after_another() {
    let server = Server::start(lenient(BlobClass::File));
    let mut client = server.connect().await;
    client.piece(ABC.as_bytes(), 0, 3, b"ab").await;
    assert_eq!(client.reply().await.code, 1);
    // Another name from its start gives the first one up.
    let other = md5_hex(b"other");
    let said = client.upload(&other, b"other", 3).await;
    assert_eq!(said, answers(&[(1, "0"), (2, "5")]));
    until(|| server.unfinished() == 0).await;
    let said = client.upload(ABC, b"abc", 2).await;
    assert_eq!(said, answers(&[(1, "0"), (2, "3")]));
}

#[tokio::test]
async fn requests_may_come_all_at_once_or_byte_by_byte() {
    let server = Server::start(lenient(BlobClass::File));
    let mut client = server.connect().await;
    let ask = |seq| request(3, seq, ABC.as_bytes(), (0, 0), b"", &[0; 4]);
    let mut all = request(1, 0, ABC.as_bytes(), (0, 3), b"abc", &[]);
    for seq in 1..=1000 {
        all.extend_from_slice(&ask(seq));
    }
    client.send(&all).await;
    for seq in 0..=1000 {
        let reply = client.reply().await;
        assert_eq!((reply.seq, reply.code), (seq, 2));
    }
    for byte in ask(7) {
        client.send(&[byte]).await;
    }
    assert_eq!(client.reply().await.data, b"abc");
}

#[tokio::test]
async fn a_server_that_stops_answers_the_request_that_has_begun() {
    let server = Server::start(lenient(BlobClass::File));
    let mut idle = server.connect().await;
    idle.piece(ABC.as_bytes(), 0, 3, b"a").await;
    assert_eq!(idle.reply().await.code, 1);
    let mut busy = server.connect().await;
    let frame = request(1, 0, ABC.as_bytes(), (0, 3), b"abc", &[]);
    let (first, second) = frame.split_at(40);
    busy.send(first).await;
    // The server has begun to read it when it has answered someone who came later.
    server.fetch(ABC).await;
    server.shutdown.cancel();
    idle.closed().await;
    busy.send(second).await;
    assert_eq!(busy.reply().await.code, 2);
    busy.closed().await;
    drop((idle, busy));
    server.running.await.unwrap();
    assert_eq!(server.store.state().names.len(), 1);
}

/// Keeps the type in the signature of helpers in the submodules.
async fn refused(server: &Server, frame: &[u8]) -> Client {
    let mut client = server.connect().await;
    client.send(frame).await;
    client.closed().await;
    client
}
