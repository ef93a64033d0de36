//! Files.

mod common;

use std::fs as std_fs;
use std::io::{ErrorKind, SeekFrom};

use common::folder::Folder;
use common::{run, watch};
use executor::{join_all, spawn};
use reactor::fs::{self, File};
use reactor::observe::Event;

#[test]
fn what_is_written_is_read_back() {
    run(async || {
        let folder = Folder::new();
        let path = folder.join("menu.txt");
        fs::write(&path, "burger\n").await.unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), b"burger\n");
        assert_eq!(fs::read_to_string(&path).await.unwrap(), "burger\n");
        fs::write(&path, vec![0xFF; 3]).await.unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), [0xFF; 3]);
        let error = fs::read_to_string(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        fs::write(&path, "").await.unwrap();
        assert!(fs::read(&path).await.unwrap().is_empty());
        assert_eq!(folder.names(), ["menu.txt"]);
    });
}

#[test]
fn what_is_missing_is_an_error() {
    run(async || {
        let folder = Folder::new();
        let missing = folder.join("missing");
        assert_eq!(fs::read(&missing).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(fs::read_to_string(&missing).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(File::open(&missing).await.unwrap_err().kind(), ErrorKind::NotFound);
        let inside = missing.join("file");
        assert_eq!(fs::write(&inside, "x").await.unwrap_err().kind(), ErrorKind::NotFound);
        assert!(File::create(&inside).await.is_err());
        assert!(folder.names().is_empty());
    });
}

#[test]
fn who_reads_while_others_write_sees_one_of_the_contents() {
    run(async || {
        let folder = Folder::new();
        let path = folder.join("orders");
        let content = |n: u8| vec![n; 20_000 + usize::from(n) * 1000];
        fs::write(&path, content(0)).await.unwrap();
        let writers = (1..4).map(|writer| {
            let path = path.clone();
            spawn(async move {
                for round in 0..10 {
                    fs::write(&path, content(writer * 10 + round)).await.unwrap();
                }
            })
        });
        let writers: Vec<_> = writers.collect();
        while !writers.iter().all(executor::JoinHandle::is_finished) {
            let found = fs::read(&path).await.unwrap();
            assert!(found == content(found[0]), "a half was read");
        }
        join_all(writers).await;
        assert_eq!(folder.names(), ["orders"]);
    });
}

#[test]
fn a_file_name_without_a_folder_is_in_the_current_one() {
    run(async || {
        let name = format!(".reactor-test-{}", std::process::id());
        fs::write(&name, "here").await.unwrap();
        let found = std_fs::read_to_string(&name);
        std_fs::remove_file(&name).unwrap();
        assert_eq!(found.unwrap(), "here");
    });
}

#[test]
fn an_open_file_goes_on_where_the_last_call_ended() {
    run(async || {
        let folder = Folder::new();
        let path = folder.join("receipt");
        let file = File::create(&path).await.unwrap();
        file.write_all("one ").await.unwrap();
        file.write_all(b"two".to_vec()).await.unwrap();
        file.sync_all().await.unwrap();
        // It is open to be written only.
        assert!(file.read(1).await.is_err());

        let file = File::open(&path).await.unwrap();
        assert_eq!(file.read(2).await.unwrap(), b"on");
        assert_eq!(file.read_to_end().await.unwrap(), b"e two");
        assert!(file.read(100).await.unwrap().is_empty());
        assert_eq!(file.seek(SeekFrom::End(-3)).await.unwrap(), 4);
        assert_eq!(file.read(100).await.unwrap(), b"two");
        assert_eq!(file.seek(SeekFrom::Start(0)).await.unwrap(), 0);
        let same = file.clone();
        assert_eq!(same.read(4).await.unwrap(), b"one ");
        assert_eq!(file.read(4).await.unwrap(), b"two", "clones share the place");
        assert!(file.seek(SeekFrom::Current(-100)).await.is_err());
        assert!(file.write_all("x").await.is_err());
    });
}

#[test]
fn a_file_of_the_standard_library_can_be_used() {
    run(async || {
        let folder = Folder::new();
        let mut options = std_fs::OpenOptions::new();
        options.read(true).write(true).create_new(true);
        let file = File::from(options.open(folder.join("both")).unwrap());
        file.write_all("both ways").await.unwrap();
        file.seek(SeekFrom::Start(5)).await.unwrap();
        assert_eq!(file.read_to_end().await.unwrap(), b"ways");
    });
}

#[test]
fn a_file_that_is_made_again_is_empty() {
    run(async || {
        let folder = Folder::new();
        std_fs::write(folder.join("old"), "old").unwrap();
        File::create(folder.join("old")).await.unwrap();
        assert!(std_fs::read(folder.join("old")).unwrap().is_empty());
    });
}

#[test]
fn each_call_is_one_job() {
    watch(async |world| {
        let folder = Folder::new();
        fs::write(folder.join("one"), "x").await.unwrap();
        fs::read(folder.join("one")).await.unwrap();
        let done = world.events().into_iter().filter(|e| matches!(e, Event::JobDone { .. }));
        assert_eq!(done.count(), 2);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_sync_that_the_system_refuses_is_an_error() {
    run(async || {
        // A sync that was left out would succeed: no test can see whether a disk was asked.
        let error = File::open("/dev/null").await.unwrap().sync_all().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}
