//! What an expression sees of the engine while a rule is looked at.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use super::State;
use super::lists::View;
use crate::expression::{Expression, Failure, Scope, Sets, Value};
use crate::port::Port;
use crate::template::{Name, Values, Variable};
use crate::text::Text;
use crate::variables::Scene;

struct Sight<'a> {
    state: &'a mut State,
    scene: &'a Scene,
    port: &'a mut dyn Port,
}

impl Scope for Sight<'_> {
    fn variable(&self, variable: &Variable) -> Option<Cow<'_, [u8]>> {
        let Variable::List(name) = variable else {
            return self.scene.bound.get(variable).map(Cow::Borrowed);
        };
        if let Some(value) = self.state.variables.get(name) {
            return Some(Cow::Borrowed(value.bytes()));
        }
        let view = View {
            scene: self.scene,
            variables: &self.state.variables,
            now: self.state.now,
            time_zone: &self.state.options.time_zone,
            quoted: false,
        };
        let mut text = Text::new();
        view.push(variable, &mut text);
        (!text.is_empty()).then(|| Cow::Owned(text.into_bytes()))
    }

    fn field(&self, name: &str) -> Option<Vec<u8>> {
        let found = self.scene.bound.found.as_deref()?;
        found.get(&Name::Named(name.into())).map(<[u8]>::to_vec)
    }

    fn exists(&mut self, context: &[u8]) -> bool {
        self.state.context_exists(context, self.port)
    }

    fn sets(&mut self) -> &mut Sets {
        &mut self.state.sets
    }

    fn time_zone(&self) -> &TimeZone {
        &self.state.options.time_zone
    }

    fn failed(&mut self, failure: Failure) {
        self.state.statistics.failures += 1;
        self.port.log(6, &|| format!("a part of an expression has no value: {failure}"));
    }
}

impl State {
    /// What an expression comes to.
    pub(super) fn evaluate<'e>(
        &mut self,
        expression: &'e Expression,
        scene: &'e Scene,
        port: &mut dyn Port,
    ) -> Value<'e> {
        let now = self.now;
        expression.evaluate(&mut Sight { state: self, scene, port }, now)
    }
}
