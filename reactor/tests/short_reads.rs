//! A short read need not mean that nothing more is there: two ways in which Linux ends one early.
#![cfg(target_os = "linux")]

mod common;

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{World, folder::Folder, watch};
use reactor::Async;
use reactor::net::{Stream, TcpListener, UnixListener};
use reactor::time::timeout;

/// Sends what the standard library cannot, and stays connected. None if there is no Python.
fn python(script: &str) -> Option<Child> {
    let script =
        format!("import socket, sys\n{script}\nprint('sent', flush=True)\nsys.stdin.read()");
    let child = Command::new("python3")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut sent = [0; 4];
    let child = child.ok().and_then(|mut child| {
        let sent = child.stdout.as_mut()?.read_exact(&mut sent);
        sent.is_ok().then_some(child)
    });
    if child.is_none() {
        println!("skipped: `python3` does not work here");
    }
    child
}

/// All that is there must be read, though no further event will come.
async fn read_all<S: Stream>(world: &World, stream: &Async<S>, expected: &[u8]) {
    world.reactor.turn(Some(Duration::ZERO)).unwrap(); // the event of its registration
    let (mut received, mut buffer) = (Vec::new(), [0; 64]);
    while received.len() < expected.len() {
        let read = timeout(Duration::from_secs(1), stream.read(&mut buffer)).await;
        let length = read.expect("there is more to read").unwrap();
        received.extend_from_slice(&buffer[..length]);
    }
    assert_eq!(received, expected);
}

#[test]
fn what_comes_after_urgent_data_is_read() {
    watch(async |world| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = format!(
            "s = socket.create_connection(('127.0.0.1', {port}))
s.send(b'before')
s.send(b'!', socket.MSG_OOB)
s.send(b'after')"
        );
        let Some(mut child) = python(&script) else { return };
        let (stream, _) = listener.accept().await.unwrap();
        read_all(&world, &stream, b"beforeafter").await;
        drop(child.stdin.take());
        child.wait().unwrap();
    });
}

#[test]
fn what_comes_after_a_file_descriptor_is_read() {
    watch(async |world| {
        let folder = Folder::new();
        let path = folder.join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let script = format!(
            "s = socket.socket(socket.AF_UNIX)
s.connect('{}')
socket.send_fds(s, [b'with it'], [0])
s.send(b'after')",
            path.display()
        );
        let Some(mut child) = python(&script) else { return };
        let (stream, _) = listener.accept().await.unwrap();
        read_all(&world, &stream, b"with itafter").await;
        drop(child.stdin.take());
        child.wait().unwrap();
    });
}
