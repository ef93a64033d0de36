//! The ready queue: first in, first out.

mod common;

use std::future::poll_fn;
use std::task::Poll;

use common::{Gate, Log, run, turns};
use executor::{spawn, yield_now};

#[test]
fn ready_tasks_are_polled_first_in_first_out() {
    run(async || {
        let log = Log::new();
        let gates: Vec<Gate> = (0..5).map(|_| Gate::new()).collect();
        for (n, gate) in gates.iter().enumerate() {
            let (log, pass) = (log.clone(), gate.pass());
            spawn(async move {
                log.push(n);
                pass.await;
                log.push(n);
            });
        }
        turns(1).await;
        assert_eq!(log.take(), [0, 1, 2, 3, 4], "in the order of `spawn`");
        for n in [3, 0, 4, 1, 2] {
            gates[n].open();
        }
        turns(1).await;
        assert_eq!(log.take(), [3, 0, 4, 1, 2], "in the order of the wakes");
    });
}

#[test]
fn a_second_wake_does_not_change_the_place_in_the_queue() {
    run(async || {
        let log = Log::new();
        let gates = [Gate::new(), Gate::new()];
        for (n, gate) in gates.iter().enumerate() {
            let (log, pass) = (log.clone(), gate.pass());
            spawn(async move {
                pass.await;
                log.push(n);
            });
        }
        turns(1).await;
        gates[0].open();
        gates[1].open();
        gates[0].open();
        turns(1).await;
        assert_eq!(log.take(), [0, 1]);
    });
}

#[test]
fn a_task_that_wakes_itself_goes_to_the_end_of_the_queue() {
    run(async || {
        let log = Log::new();
        for name in ["a", "b", "c"] {
            let log = log.clone();
            spawn(async move {
                log.push(name);
                yield_now().await;
                log.push(name);
            });
        }
        turns(3).await;
        assert_eq!(log.take(), ["a", "b", "c", "a", "b", "c"]);
    });
}

#[test]
fn a_task_that_is_woken_ten_times_has_one_place_in_the_queue() {
    run(async || {
        let log = Log::new();
        let gates = [Gate::new(), Gate::new()];
        for (n, gate) in gates.iter().enumerate() {
            let (log, pass) = (log.clone(), gate.pass());
            spawn(async move {
                pass.await;
                log.push(n);
                yield_now().await;
                log.push(n);
            });
        }
        turns(1).await;
        for _ in 0..10 {
            gates[0].open();
        }
        gates[1].open();
        turns(2).await;
        assert_eq!(log.take(), [0, 1, 0, 1], "with ten places it would have ten turns first");
    });
}

#[test]
fn the_place_of_a_task_that_has_ended_is_not_given_to_the_next_tenant_of_its_slot() {
    run(async || {
        let (gate, log) = (Gate::new(), Log::new());
        let (pass, between) = (gate.pass(), log.clone());
        spawn(async move {
            pass.await;
            between.push("queued between");
        });
        turns(1).await;
        // It ends with its key in the queue.
        spawn(poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::Ready(())
        }));
        let _keeps_its_slot = spawn(async move { gate.open() });
        // By now the slot of the other one is free, and its key still there.
        let tenant = log.clone();
        spawn(async move { drop(spawn(async move { tenant.push("tenant") })) });
        turns(3).await;
        assert_eq!(log.take(), ["queued between", "tenant"]);
    });
}
