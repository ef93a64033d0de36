//! Replacing a file: all or nothing, and nothing else is changed.
#![cfg(unix)]

mod common;

use std::fs as std_fs;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

use common::child::{as_child, limits_can_be_set};
use common::folder::Folder;
use common::{paired, run};
use executor::{spawn, yield_now};
use reactor::Reactor;
use reactor::fs;

#[test]
fn the_permissions_stay() {
    run(async || {
        let folder = Folder::new();
        let path = folder.join("file");
        for mode in [0o600, 0o640, 0o755, 0o444] {
            std_fs::write(&path, "old").unwrap();
            std_fs::set_permissions(&path, std_fs::Permissions::from_mode(mode)).unwrap();
            fs::write(&path, "new").await.unwrap();
            assert_eq!(std_fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
            assert_eq!(std_fs::read(&path).unwrap(), b"new");
            std_fs::remove_file(&path).unwrap();
        }
    });
}

#[test]
fn a_new_file_has_the_permissions_that_new_files_have() {
    run(async || {
        let folder = Folder::new();
        std_fs::write(folder.join("usual"), "").unwrap();
        fs::write(folder.join("ours"), "").await.unwrap();
        let mode = |name| std_fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(mode("ours"), mode("usual"));
    });
}

#[test]
fn a_symbolic_link_stays_and_its_target_is_replaced() {
    run(async || {
        let (folder, other) = (Folder::new(), Folder::new());
        std_fs::write(other.join("target"), "old").unwrap();
        symlink(other.join("target"), folder.join("link")).unwrap();
        fs::write(folder.join("link"), "new").await.unwrap();
        assert!(std_fs::symlink_metadata(folder.join("link")).unwrap().is_symlink());
        assert_eq!(std_fs::read(other.join("target")).unwrap(), b"new");
        assert_eq!((folder.names(), other.names()), (vec!["link".into()], vec!["target".into()]));
    });
}

#[test]
fn a_symbolic_link_to_nothing_stays_and_its_target_is_made() {
    run(async || {
        let folder = Folder::new();
        symlink(folder.join("target"), folder.join("link")).unwrap();
        fs::write(folder.join("link"), "new").await.unwrap();
        assert!(std_fs::symlink_metadata(folder.join("link")).unwrap().is_symlink());
        assert_eq!(std_fs::read(folder.join("target")).unwrap(), b"new");
    });
}

#[test]
fn a_folder_cannot_be_replaced_and_nothing_is_left_behind() {
    run(async || {
        let folder = Folder::new();
        std_fs::create_dir(folder.join("folder")).unwrap();
        assert!(fs::write(folder.join("folder"), "x").await.is_err());
        assert_eq!(folder.names(), ["folder"]);
        let error = fs::write("/", "x").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn what_is_no_file_is_not_replaced_by_one() {
    run(async || {
        // A socket here; it could be /dev/null.
        let folder = Folder::new();
        let _listener = std::os::unix::net::UnixListener::bind(folder.join("socket")).unwrap();
        let _ = fs::write(folder.join("socket"), "x").await;
        let kind = std_fs::symlink_metadata(folder.join("socket")).unwrap().file_type();
        assert!(kind.is_socket(), "it was replaced: {kind:?}");
    });
}

#[test]
fn a_long_file_name_is_no_hindrance() {
    run(async || {
        let folder = Folder::new();
        let name = "n".repeat(250);
        std_fs::write(folder.join(&name), "old").unwrap();
        fs::write(folder.join(&name), "new").await.unwrap();
        assert_eq!(std_fs::read(folder.join(&name)).unwrap(), b"new");
    });
}

/// The name that a write uses until it is done, seen while one is under way.
async fn temporary_name(folder: &Folder) -> String {
    loop {
        let path = folder.join("watched");
        let write = spawn(async move { fs::write(path, vec![0; 2_000_000]).await.unwrap() });
        while !write.is_finished() {
            if let Some(name) = folder.names().into_iter().find(|name| name != "watched") {
                write.await.unwrap();
                return name;
            }
            yield_now().await;
        }
    }
}

#[test]
fn what_a_crashed_process_left_behind_is_in_nobodys_way() {
    run(async || {
        let folder = Folder::new();
        let name = temporary_name(&folder).await.replace("watched", "orders");
        // In a container each process may have the number of the one before, and count from the
        // same number.
        let end = name.rfind(|c: char| c.is_ascii_digit()).unwrap() + 1;
        let start = name[..end].rfind(|c: char| !c.is_ascii_digit()).unwrap() + 1;
        let number: usize = name[start..end].parse().unwrap();
        for next in number..number + 100 {
            let left = format!("{}{next}{}", &name[..start], &name[end..]);
            std_fs::write(folder.join(&left), "half").unwrap();
        }
        fs::write(folder.join("orders"), "whole").await.unwrap();
        assert_eq!(std_fs::read(folder.join("orders")).unwrap(), b"whole");
        assert_eq!(folder.names().len(), 102, "what belongs to others stays");
    });
}

#[test]
fn when_the_disk_is_full_the_old_content_stays() {
    // No file may be longer than a few kB; the signal that would end the process is ignored.
    let small = "trap '' XFSZ; ulimit -f 8";
    if !limits_can_be_set(small) {
        return;
    }
    as_child(small, || {
        let folder = Folder::new();
        let path = folder.join("orders");
        std_fs::write(&path, "old").unwrap();
        paired(&Reactor::new().unwrap(), async {
            let error = fs::write(&path, vec![1; 1_000_000]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::FileTooLarge);
            assert_eq!(
                (folder.names(), fs::read(&path).await.unwrap()),
                (vec!["orders".into()], b"old".into())
            );
        });
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_of_the_call_that_wrote() {
    run(async || {
        let full = std_fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = fs::File::from(full).write_all("x").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    });
}

#[test]
fn a_write_that_is_cancelled_once_started_is_still_whole() {
    run(async || {
        let folder = Folder::new();
        let path = folder.join("orders");
        for n in 0..20_u8 {
            let write = fs::write(&path, vec![n; 100_000]);
            let polled = std::pin::pin!(reactor::time::timeout(std::time::Duration::ZERO, write));
            let _ = polled.await;
            if let Ok(found) = std_fs::read(&path) {
                assert!(found.len() == 100_000 && found.iter().all(|&byte| byte == found[0]));
            }
        }
    });
}
