//! Any other `mio` source can be awaited, too: pipes, and whatever has a file descriptor.
#![cfg(unix)]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};

use common::{run, turns, watch};
use executor::{join, spawn};
use mio::unix::{SourceFd, pipe};
use reactor::{Async, Direction};

fn new_pipe() -> (Async<pipe::Sender>, Async<pipe::Receiver>) {
    let (sender, receiver) = pipe::new().unwrap();
    (Async::new(sender).unwrap(), Async::new(receiver).unwrap())
}

async fn read(pipe: &Async<pipe::Receiver>, buffer: &mut [u8]) -> std::io::Result<usize> {
    pipe.io(Direction::Read, |pipe| pipe.get_ref().read(buffer)).await
}

async fn write(pipe: &Async<pipe::Sender>, bytes: &[u8]) -> std::io::Result<usize> {
    pipe.io(Direction::Write, |pipe| pipe.get_ref().write(bytes)).await
}

#[test]
fn a_pipe_wakes_its_reader() {
    run(async || {
        let (sender, receiver) = new_pipe();
        let reader = spawn(async move {
            let mut buffer = [0; 8];
            let length = read(&receiver, &mut buffer).await.unwrap();
            buffer[..length].to_vec()
        });
        turns(10).await;
        assert_eq!(write(&sender, b"tube").await.unwrap(), 4);
        assert_eq!(reader.await.unwrap(), b"tube");
    });
}

#[test]
fn a_full_pipe_wakes_its_writer_when_there_is_room() {
    run(async || {
        let (sender, receiver) = new_pipe();
        let writer = spawn(async move {
            for _ in 0..100 {
                assert_eq!(write(&sender, &[1; 4096]).await.unwrap(), 4096);
            }
        });
        turns(200).await;
        assert!(!writer.is_finished(), "a pipe has an end");
        let (mut total, mut buffer) = (0, [0; 4096]);
        while let length @ 1.. = read(&receiver, &mut buffer).await.unwrap() {
            total += length;
        }
        assert_eq!(total, 409_600);
        writer.await.unwrap();
    });
}

#[test]
fn the_end_of_one_side_wakes_the_other() {
    run(async || {
        let (sender, receiver) = new_pipe();
        let reader = spawn(async move { read(&receiver, &mut [0; 8]).await.unwrap() });
        turns(10).await;
        drop(sender);
        assert_eq!(reader.await.unwrap(), 0);

        let (sender, receiver) = new_pipe();
        let writer = spawn(async move {
            loop {
                if let Err(error) = write(&sender, &[0; 4096]).await {
                    return error.kind();
                }
            }
        });
        turns(200).await;
        assert!(!writer.is_finished());
        drop(receiver);
        assert_eq!(writer.await.unwrap(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn the_output_of_another_process_can_be_awaited() {
    run(async || {
        let mut child = Command::new("sh")
            .args(["-c", "read order; echo \"one $order\""])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = pipe::Receiver::from(child.stdout.take().unwrap());
        output.set_nonblocking(true).unwrap();
        let output = Async::new(output).unwrap();
        let reader = spawn(async move {
            let mut text = Vec::new();
            let mut buffer = [0; 64];
            while let length @ 1.. = read(&output, &mut buffer).await.unwrap() {
                text.extend_from_slice(&buffer[..length]);
            }
            text
        });
        turns(10).await;
        child.stdin.take().unwrap().write_all(b"burger\n").unwrap();
        assert_eq!(reader.await.unwrap(), b"one burger\n");
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn a_borrowed_file_descriptor_can_be_awaited() {
    watch(async |world| {
        let (mut sender, receiver) = pipe::new().unwrap();
        let fd = receiver.as_raw_fd();
        let borrowed = Async::new(SourceFd(&fd)).unwrap();
        sender.write_all(b"fd").unwrap();
        let mut buffer = [0; 8];
        let length = borrowed.io(Direction::Read, |_| (&receiver).read(&mut buffer)).await.unwrap();
        assert_eq!(&buffer[..length], b"fd");
        drop(borrowed);
        assert_eq!(world.reactor.sources(), 0);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn what_the_system_refuses_to_watch_leaves_no_trace() {
    watch(async |world| {
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        let error = Async::new(SourceFd(&file.as_raw_fd())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert_eq!(world.reactor.sources(), 0);
        assert!(world.events().is_empty());
    });
}

#[test]
fn a_hang_up_is_news_for_both_sides_even_for_one_that_a_source_does_not_have() {
    run(async || {
        let (sender, receiver) = new_pipe();
        let mut tries = 0;
        // The receiving end of a pipe never becomes writable.
        let waits = receiver.io(Direction::Write, |_| {
            tries += 1;
            if tries == 1 { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        let hang_up = async {
            turns(10).await;
            drop(sender);
        };
        join(waits, hang_up).await.0.unwrap();
        assert_eq!(tries, 2);
    });
}
