//! What each operation is on the real executor and reactor.

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use executor::channel::{Receiver, TryRecvError, TrySendError, bounded, oneshot, unbounded};
use executor::{Either, JoinError, JoinHandle, join, race, spawn, yield_now};
use reactor::time::{sleep, timeout};

use crate::program::{Op, Ops};
use crate::real::{Held, Life, Output, World};
use crate::trace::What;

pub(crate) async fn step(life: &Life, op: &Op, held: &mut Vec<Held>) {
    let world = &life.world;
    match op {
        Op::Yield => yield_now().await,
        Op::Sleep(time) => sleep(Duration::from_nanos(*time)).await,
        Op::Park => {
            let mut parked = false;
            let park = |cx: &mut Context<'_>| {
                if parked {
                    return Poll::Ready(());
                }
                parked = true;
                world.wakers.add(cx.waker().clone());
                Poll::Pending
            };
            poll_fn(park).await;
        }
        Op::Keep => {
            world.wakers.add(poll_fn(|cx| Poll::Ready(cx.waker().clone())).await);
        }
        Op::Wake(k) => _ = world.wakers.with(*k, Waker::wake_by_ref),
        Op::WakeClone(k) => _ = world.wakers.get(*k).map(Waker::wake),
        Op::WakeFromThread(k) => {
            if let Some(waker) = world.wakers.get(*k) {
                thread::spawn(|| waker.wake()).join().expect("a wake does not panic");
            }
        }
        Op::WakeAsleep(k) => _ = world.wakers.get(*k).map(|waker| world.asleep.add(waker)),
        Op::Spawn(ops) => world.handles.add(spawn(world.task(ops.clone()))),
        Op::Crowd(n, ops) => {
            for _ in 0..*n {
                world.handles.add(spawn(world.task(ops.clone())));
            }
        }
        Op::Join(k) => {
            let Some(handle) = world.handles.take(*k) else { return };
            joined(life, handle.await);
        }
        Op::JoinFor(k, time) => {
            let Some(mut handle) = world.handles.take(*k) else { return };
            match timeout(Duration::from_nanos(*time), &mut handle).await {
                Ok(result) => joined(life, result),
                Err(_) => {
                    life.log(What::Elapsed);
                    world.handles.add(handle);
                }
            }
        }
        Op::IsFinished(k) => {
            let finished = world.handles.with(*k, JoinHandle::is_finished);
            if let Some(finished) = finished {
                life.log(What::IsFinished(finished));
            }
        }
        Op::Abort(k) => _ = world.handles.with(*k, JoinHandle::abort),
        Op::Both(..) | Op::Race(..) | Op::Timeout(..) => branches(life, op).await,
        Op::Drop(kind, k) => drop(world.take(*kind, *k)),
        Op::Hold(kind, k) => held.extend(world.take(*kind, *k)),
        Op::Panic => resume_unwind(Box::new(life.id)),
        _ => channels(life, world, op).await,
    }
}

fn joined(life: &Life, result: Result<Output, JoinError>) {
    match result {
        Ok(output) => life.log(What::Joined(output.id)),
        Err(JoinError::Cancelled) => life.log(What::JoinedCancelled),
        Err(panic) => {
            let by = panic.into_panic().downcast().expect("tasks panic with their number");
            life.log(What::JoinedPanicked(*by));
        }
    }
}

async fn branches(life: &Life, op: &Op) {
    let fiber = |ops: &Ops| life.world.fiber(ops.clone());
    match op {
        Op::Both(a, b) => {
            let (a, b) = join(fiber(a), fiber(b)).await;
            life.log(What::Both(a.id, b.id));
            drop(a);
            drop(b);
        }
        Op::Race(a, b) => match race(fiber(a), fiber(b)).await {
            Either::Left(output) => life.log(What::Left(output.id)),
            Either::Right(output) => life.log(What::Right(output.id)),
        },
        Op::Timeout(time, ops) => match timeout(Duration::from_nanos(*time), fiber(ops)).await {
            Ok(output) => life.log(What::InTime(output.id)),
            Err(_) => life.log(What::Elapsed),
        },
        _ => unreachable!("{op:?} has no branches"),
    }
}

async fn channels(life: &Life, world: &Rc<World>, op: &Op) {
    match op {
        Op::Open(capacity) => {
            let (sender, receiver) = if *capacity == 0 { unbounded() } else { bounded(*capacity) };
            world.senders.add(sender);
            world.receivers.add(receiver);
        }
        Op::CloneSender(k) => _ = world.senders.get(*k).map(|sender| world.senders.add(sender)),
        Op::CloneReceiver(k) => {
            _ = world.receivers.get(*k).map(|receiver| world.receivers.add(receiver));
        }
        Op::Send(k) => {
            // A clone, since somebody may drop the other one meanwhile.
            let Some(sender) = world.senders.get(*k) else { return };
            life.log(match sender.send(world.value()).await {
                Ok(()) => What::Sent,
                Err(error) => What::Refused(error.0),
            });
        }
        Op::TrySend(k) => {
            let sent = world.senders.with(*k, |sender| sender.try_send(world.value()));
            life.log(match sent {
                None => return,
                Some(Ok(())) => What::Sent,
                Some(Err(TrySendError::Full(value))) => What::Full(value),
                Some(Err(TrySendError::Closed(value))) => What::Refused(value),
            });
        }
        Op::Recv(k) => {
            let Some(receiver) = world.receivers.get(*k) else { return };
            let received = receiver.recv().await;
            life.log(received.map_or(What::Closed, What::Received));
        }
        Op::TryRecv(k) => {
            let received = world.receivers.with(*k, Receiver::try_recv);
            life.log(match received {
                None => return,
                Some(Ok(value)) => What::Received(value),
                Some(Err(TryRecvError::Empty)) => What::Empty,
                Some(Err(TryRecvError::Closed)) => What::Closed,
            });
        }
        Op::Oneshot => {
            let (sender, receiver) = oneshot();
            world.oneshot_senders.add(sender);
            world.oneshot_receivers.add(receiver);
        }
        Op::OneshotSend(k) => {
            let Some(sender) = world.oneshot_senders.take(*k) else { return };
            let sent = sender.send(world.value());
            life.log(sent.map_or_else(|error| What::Refused(error.0), |()| What::Sent));
        }
        Op::OneshotRecv(k) => {
            let Some(receiver) = world.oneshot_receivers.take(*k) else { return };
            let received = receiver.await;
            life.log(received.map_or(What::Closed, What::Received));
        }
        _ => unreachable!("{op:?} has no channel"),
    }
}
