//! The ids of tasks.

mod common;

use std::collections::HashSet;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use common::{run, within};
use executor::{Executor, current_task, spawn};

#[test]
fn ids_are_never_used_again() {
    within(|| {
        let executor = Executor::new(Waker::noop().clone());
        let mut seen = HashSet::new();
        for _ in 0..3 {
            let ids = executor.block_on(
                async {
                    let mut ids = vec![current_task().unwrap()];
                    for _ in 0..100 {
                        let task = spawn(async { current_task().unwrap() });
                        let id = task.id();
                        assert_eq!(task.await.unwrap(), id, "the slot is free again, not the id");
                        ids.push(id);
                    }
                    ids
                },
                |_| (),
            );
            assert!(ids.is_sorted());
            assert!(ids.into_iter().all(|id| seen.insert(id)));
        }
    });
}

#[test]
fn the_id_inside_is_the_id_outside() {
    run(async || {
        let mut polls = 0;
        let task = spawn(poll_fn(move |cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            if polls < 3 { Poll::Pending } else { Poll::Ready(current_task()) }
        }));
        let id = task.id();
        assert_ne!(current_task(), Some(id));
        assert_eq!(task.await.unwrap(), Some(id));
        assert_eq!(format!("{id} {id:?}"), format!("#{0} #{0}", id.get()));
    });
}
