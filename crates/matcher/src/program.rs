//! Conditions as flat code: one step for each atom, with where to go on if it holds and if not.

use crate::catalogue::{Catalogue, Form, Test};
use crate::matcher::Decision;
use crate::odds::Odds;

/// Where a program ends: its predicate holds.
pub(crate) const HOLDS: u32 = u32::MAX;
/// Where a program ends: its predicate does not hold.
pub(crate) const FAILS: u32 = u32::MAX - 1;

/// Asks an atom and goes on; both ways lead to earlier steps or to an end, so that no program
/// circles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) atom: u32,
    pub(crate) holds: u32,
    pub(crate) fails: u32,
}

/// Writes programs, one after another.
pub(crate) struct Writer<'w> {
    pub(crate) catalogue: &'w Catalogue,
    pub(crate) odds: &'w Odds,
    /// How the atoms are decided.
    pub(crate) atoms: &'w [Decision],
    pub(crate) steps: Vec<Step>,
}

/// How likely a form holds and what asking costs, in about nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Weight {
    odds: f32,
    cost: f32,
}

impl Writer<'_> {
    /// Writes the program of a form; the step at which it begins, or its end.
    pub(crate) fn write(&mut self, form: &Form, group: u32) -> u32 {
        self.before(form, group, HOLDS, FAILS)
    }

    fn before(&mut self, form: &Form, group: u32, holds: u32, fails: u32) -> u32 {
        match form {
            Form::Constant(true) => holds,
            Form::Constant(false) => fails,
            Form::All(inner) => {
                let order = self.order(inner, group, |weight| weight.cost / (1.0 - weight.odds));
                order.iter().rev().fold(holds, |next, form| self.before(form, group, next, fails))
            }
            Form::Any(inner) => {
                let order = self.order(inner, group, |weight| weight.cost / weight.odds);
                order.iter().rev().fold(fails, |next, form| self.before(form, group, holds, next))
            }
            Form::AtLeast(needed, inner) => self.count(*needed, inner, group, (holds, fails)),
            Form::Atom { atom, negated } => {
                let (holds, fails) = if *negated { (fails, holds) } else { (holds, fails) };
                let at = u32::try_from(self.steps.len()).unwrap_or(FAILS);
                self.steps.push(Step { atom: *atom, holds, fails });
                at
            }
        }
    }

    /// Writes each choice once for every number that may still be needed when it is asked.
    fn count(
        &mut self,
        needed: usize,
        inner: &[Form],
        group: u32,
        (holds, fails): (u32, u32),
    ) -> u32 {
        // Where to go on before the choices behind, by how many of them are needed.
        let mut behind = vec![fails; needed + 1];
        if let Some(none) = behind.first_mut() {
            *none = holds;
        }
        for form in inner.iter().rev() {
            let mut before = vec![holds];
            for pair in behind.windows(2) {
                if let [fewer, same] = pair {
                    before.push(match fewer == same {
                        true => *same,
                        false => self.before(form, group, *fewer, *same),
                    });
                }
            }
            behind = before;
        }
        behind.last().copied().unwrap_or(fails)
    }

    /// The forms in the order in which they are asked: those first that decide most for least.
    fn order<'f>(
        &self,
        forms: &'f [Form],
        group: u32,
        rank: impl Fn(Weight) -> f32,
    ) -> Vec<&'f Form> {
        let mut order: Vec<(f32, &Form)> =
            forms.iter().map(|form| (rank(self.weight(form, group)), form)).collect();
        order.sort_by(|(left, _), (right, _)| left.total_cmp(right));
        order.into_iter().map(|(_, form)| form).collect()
    }

    fn weight(&self, form: &Form, group: u32) -> Weight {
        let certain = |truth| Weight { odds: if truth { 0.999 } else { 0.001 }, cost: 0.0 };
        let weight = match form {
            Form::Constant(truth) => certain(*truth),
            Form::All(inner) => inner.iter().fold(certain(true), |all, form| {
                let one = self.weight(form, group);
                Weight { odds: all.odds * one.odds, cost: all.cost + all.odds * one.cost }
            }),
            Form::Any(inner) => inner.iter().fold(certain(false), |any, form| {
                let one = self.weight(form, group);
                let neither = (1.0 - any.odds) * (1.0 - one.odds);
                Weight { odds: 1.0 - neither, cost: any.cost + (1.0 - any.odds) * one.cost }
            }),
            Form::AtLeast(_, inner) => {
                let cost = inner.iter().map(|form| self.weight(form, group).cost).sum();
                Weight { odds: 0.2, cost }
            }
            Form::Atom { atom, negated } => {
                let odds = self.odds.atom(self.catalogue, *atom, group);
                let cost = self.atoms.get(*atom as usize).map_or(10.0, |atom| cost(&atom.test));
                Weight { odds: if *negated { 1.0 - odds } else { odds }, cost }
            }
        };
        Weight { odds: weight.odds.clamp(0.001, 0.999), ..weight }
    }
}

fn cost(test: &Test) -> f32 {
    use bergfried_query::Condition as C;
    match test {
        Test::Found => 2.0,
        Test::Folded(_) => 10.0,
        Test::Value(C::Exists | C::Null) => 2.0,
        Test::Value(C::Regex(_)) => 200.0,
        Test::Value(_) => 30.0,
        Test::Walk(_) => 300.0,
    }
}
