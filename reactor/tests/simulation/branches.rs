//! The coroutines of the model, continued: those within others, and how all of them are dropped.

use crate::channels::End;
use crate::fibers::{Branch, Fiber, Held, Turn, Wait};
use crate::model::Model;
use crate::program::Ops;
use crate::trace::{FiberId, What};

impl Model<'_> {
    pub(crate) fn branch(&mut self, ops: &Ops) -> Branch {
        Branch::Running(Box::new(self.fiber(ops)))
    }

    fn poll_branch(&mut self, branch: &mut Branch) -> Turn {
        let Branch::Running(fiber) = branch else { return Turn::Done };
        let turn = self.poll_fiber(fiber);
        match turn {
            Turn::Pending => {}
            Turn::Done => *branch = Branch::Ended(fiber.id),
            Turn::Panic(_) => *branch = Branch::Gone,
        }
        turn
    }

    pub(crate) fn poll_both(&mut self, id: FiberId, branches: &mut [Branch; 2]) -> Turn {
        let mut turn = Turn::Done;
        for branch in &mut *branches {
            match self.poll_branch(branch) {
                Turn::Done => {}
                Turn::Pending => turn = Turn::Pending,
                panic @ Turn::Panic(_) => return panic,
            }
        }
        if let ([Branch::Ended(a), Branch::Ended(b)], Turn::Done) = (&*branches, &turn) {
            self.effect("join of two");
            self.log(id, What::Both(*a, *b));
            for branch in branches {
                self.drop_branch(branch);
            }
        }
        turn
    }

    pub(crate) fn poll_race(&mut self, id: FiberId, [a, b]: &mut [Branch; 2]) -> Turn {
        match self.poll_branch(a) {
            Turn::Pending => {}
            Turn::Done => {
                self.effect("race won by the first");
                self.drop_branch(b);
                return self.end_of_branch(id, What::Left, a);
            }
            panic @ Turn::Panic(_) => return panic,
        }
        let turn = self.poll_branch(b);
        if let Turn::Done = turn {
            self.effect("race won by the second");
            self.drop_branch(a);
            return self.end_of_branch(id, What::Right, b);
        }
        turn
    }

    pub(crate) fn poll_timeout(&mut self, id: FiberId, wait: &mut Wait) -> Turn {
        let Wait::Timeout(branch, alarm) = wait else { unreachable!("not a timeout") };
        match self.poll_branch(branch) {
            Turn::Done => {
                self.effect("timeout: in time");
                self.stop(alarm);
                self.end_of_branch(id, What::InTime, branch)
            }
            Turn::Pending if self.poll_timer(alarm.deadline, &mut alarm.timer) => {
                self.effect("timeout: too late");
                self.drop_branch(branch);
                self.log(id, What::Elapsed);
                Turn::Done
            }
            turn => turn,
        }
    }

    fn end_of_branch(
        &mut self,
        id: FiberId,
        what: fn(FiberId) -> What,
        branch: &mut Branch,
    ) -> Turn {
        if let Branch::Ended(output) = branch {
            self.log(id, what(*output));
        }
        self.drop_branch(branch);
        Turn::Done
    }

    // Dropping --------------------------------------------------------------------------------

    fn drop_branch(&mut self, branch: &mut Branch) {
        match std::mem::replace(branch, Branch::Gone) {
            Branch::Running(fiber) => {
                self.effect("branch dropped half-way");
                self.drop_fiber(*fiber);
            }
            Branch::Ended(output) => self.log(output, What::OutputDropped),
            Branch::Gone => {}
        }
    }

    pub(crate) fn drop_fiber(&mut self, mut fiber: Fiber) {
        if let Some(wait) = fiber.wait.take() {
            self.drop_wait(wait);
        }
        self.finish(&mut fiber);
    }

    /// What it waited for is gone already.
    pub(crate) fn finish(&mut self, fiber: &mut Fiber) {
        for held in std::mem::take(&mut fiber.held) {
            self.effect("held to the end");
            self.drop_held(held);
        }
        self.log(fiber.id, What::FutureDropped);
        fiber.gone = true;
    }

    pub(crate) fn drop_wait(&mut self, wait: Wait) {
        match wait {
            Wait::Poll => {}
            Wait::Sleep(alarm) => {
                self.effect("sleep dropped half-way");
                self.stop(&alarm);
            }
            Wait::Join(task) => self.detach(task),
            Wait::JoinFor(task, alarm) => {
                self.stop(&alarm);
                self.detach(task);
            }
            Wait::Send { channel, ticket, .. } => {
                self.give_up(channel, End::Send, ticket);
                self.leave(channel, End::Send);
            }
            Wait::Recv { channel, ticket } => {
                self.give_up(channel, End::Receive, ticket);
                self.leave(channel, End::Receive);
            }
            Wait::Oneshot(oneshot) => self.close_oneshot(oneshot),
            Wait::Both(branches) | Wait::Race(branches) => {
                for mut branch in branches {
                    self.drop_branch(&mut branch);
                }
            }
            Wait::Timeout(mut branch, alarm) => {
                self.drop_branch(&mut branch);
                self.stop(&alarm);
            }
        }
    }

    pub(crate) fn drop_held(&mut self, held: Held) {
        match held {
            Held::Handle(task) => self.detach(task),
            Held::Sender(channel) => self.leave(channel, End::Send),
            Held::Receiver(channel) => self.leave(channel, End::Receive),
            Held::OneshotSender(oneshot) => _ = self.oneshot_send(oneshot, None),
            Held::OneshotReceiver(oneshot) => self.close_oneshot(oneshot),
        }
    }
}
