//! Burgers ordered from the page: real requests, all at once or one after another.

use std::rc::Rc;
use std::time::{Duration, Instant};

use executor::{join_all, spawn};
use serde_json::{Value, json};

use super::routes::Desk;
use crate::http::{Problem, client};

/// How long a customer waits. Long, since whoever ordered may also have stopped the stand.
const PATIENCE: Duration = Duration::from_secs(3600);
/// So many orders are remembered, and at most so many are open.
const ORDERS: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Together,
    OneAfterAnother,
}

#[derive(Clone, Debug)]
pub(super) struct Order {
    number: u64,
    n: u64,
    way: Way,
    /// How many events there were when it began: the next one may be its first.
    after: u64,
    answered: u64,
    /// Answered with something else than burgers, or not at all.
    failed: u64,
    began: Instant,
    /// How long it took, once it is over.
    took: Option<Duration>,
}

impl Desk {
    /// Begins; how it goes on is told with the events.
    pub(super) fn place_order(self: &Rc<Self>, n: u64, way: Way) -> Result<u64, Problem> {
        let after = self.recorder.now().events;
        let number = {
            let mut orders = self.orders.borrow_mut();
            let number = orders.last().map_or(1, |order| order.number + 1);
            if orders.len() == ORDERS {
                let over = orders.iter().position(|order| order.took.is_some());
                let busy = || Problem::new(429, "too many orders are open: let the stand run");
                orders.remove(over.ok_or_else(busy)?);
            }
            let began = Instant::now();
            let (answered, failed, took) = (0, 0, None);
            orders.push(Order { number, n, way, after, answered, failed, began, took });
            number
        };
        self.recorder.nudge();
        spawn(carry_out(self.clone(), number, n, way)).named("order");
        Ok(number)
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Order)) {
        if let Some(order) = self.orders.borrow_mut().iter_mut().find(|it| it.number == number) {
            change(order);
        }
        self.recorder.nudge();
    }

    pub(super) fn orders_json(&self) -> Value {
        self.orders.borrow().iter().map(Order::to_json).collect()
    }
}

async fn carry_out(desk: Rc<Desk>, number: u64, n: u64, way: Way) {
    match way {
        Way::Together => drop(join_all((0..n).map(|_| ask(&desk, number))).await),
        Way::OneAfterAnother => {
            for _ in 0..n {
                ask(&desk, number).await;
            }
        }
    }
    desk.change(number, |order| order.took = Some(order.began.elapsed()));
}

async fn ask(desk: &Desk, number: u64) {
    let answer = client::get(&desk.stand, "/", PATIENCE).await;
    let well = answer.is_ok_and(|answer| answer.status == 200);
    desk.change(number, |order| {
        order.answered += 1;
        order.failed += u64::from(!well);
    });
}

impl Order {
    fn to_json(&self) -> Value {
        let way = match self.way {
            Way::Together => "together",
            Way::OneAfterAnother => "one after another",
        };
        let took = self.took.map(|took| (took.as_secs_f64() * 1e4).round() / 10.0);
        json!({
            "order": self.number, "n": self.n, "way": way, "after": self.after,
            "answered": self.answered, "failed": self.failed, "took": took,
        })
    }
}
