//! When time does the next thing to what.
//!
//! An entry may be too early, never too late: who takes it asks what is due and puts it back. So an
//! alert that is heard of again and again moves its entry once, not each time.

use std::collections::{BTreeSet, HashMap};

use bergfried_event::Timestamp;

/// What time does something to, by row number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Task {
    Alert(u64),
    Beat(u64),
    Blackout(u64),
}

/// Due times; one at most for each task.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    due: BTreeSet<(Timestamp, Task)>,
    times: HashMap<Task, Timestamp>,
}

impl Schedule {
    /// Makes sure that a task is looked at when it is due, or no more.
    pub(crate) fn set(&mut self, task: Task, due: Option<Timestamp>) {
        let before = self.times.get(&task).copied();
        match (before, due) {
            (Some(before), Some(due)) if before <= due => {}
            (before, due) => {
                if let Some(before) = before {
                    self.due.remove(&(before, task));
                    self.times.remove(&task);
                }
                if let Some(due) = due {
                    self.due.insert((due, task));
                    self.times.insert(task, due);
                }
            }
        }
    }

    /// Takes the first task that is due.
    pub(crate) fn take(&mut self, now: Timestamp) -> Option<Task> {
        let first = self.due.first().copied().filter(|(time, _)| *time <= now)?;
        self.due.remove(&first);
        self.times.remove(&first.1);
        Some(first.1)
    }

    /// When the next task has to be looked at.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(time, _)| *time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_taken_once_and_never_late() {
        let at = Timestamp::from_seconds;
        let mut schedule = Schedule::default();
        schedule.set(Task::Alert(1), Some(at(10)));
        schedule.set(Task::Alert(1), Some(at(20)));
        schedule.set(Task::Alert(2), Some(at(15)));
        schedule.set(Task::Alert(2), Some(at(5)));
        schedule.set(Task::Beat(1), Some(at(7)));
        schedule.set(Task::Beat(1), None);
        assert_eq!(schedule.next(), Some(at(5)));
        assert_eq!(schedule.take(at(4)), None);
        assert_eq!(schedule.take(at(30)), Some(Task::Alert(2)));
        assert_eq!(schedule.take(at(30)), Some(Task::Alert(1)));
        assert_eq!(schedule.take(at(30)), None);
        assert!(schedule.times.is_empty());
    }
}
