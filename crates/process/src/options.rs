//! What every step can do besides its action: add and remove fields and tags.

use bergfried_event::{Event, Field, FieldName};

use crate::compile::Compile;
use crate::config::StepFile;
use crate::name;
use crate::scene::{Scene, add_tag, remove_tag};
use crate::template::Template;

/// The options of one step.
#[derive(Debug)]
pub(crate) struct Options {
    add_field: Vec<(FieldName<'static>, Template)>,
    add_tag: Vec<Template>,
    remove_field: Vec<FieldName<'static>>,
    remove_tag: Vec<Template>,
    tag_on_failure: Vec<String>,
}

impl Options {
    pub(crate) fn compile(
        file: &StepFile,
        failure_tag: Option<&str>,
        compile: &mut Compile<'_>,
    ) -> Options {
        let mut add_field = Vec::new();
        compile.at("add_field", |compile| {
            for (name, texts) in &file.add_field {
                compile.at(name, |compile| {
                    let name = compile.writable_here(name);
                    for text in &texts.0 {
                        let template = compile.template(text);
                        add_field.extend(name.clone().zip(template));
                    }
                });
            }
        });
        let templates = |key: &str, texts: &[String], compile: &mut Compile<'_>| {
            compile.at(key, |compile| {
                texts.iter().filter_map(|text| compile.template(text)).collect::<Vec<_>>()
            })
        };
        let remove_field = compile.at("remove_field", |compile| {
            let names = file.remove_field.0.iter().enumerate();
            names
                .filter_map(|(index, name)| {
                    compile.nth(index, |compile| compile.writable_here(name))
                })
                .collect()
        });
        let tag_on_failure = match &file.tag_on_failure {
            Some(tags) => tags.0.clone(),
            None => failure_tag.map(str::to_owned).into_iter().collect(),
        };
        Options {
            add_field,
            add_tag: templates("add_tag", &file.add_tag.0, compile),
            remove_field,
            remove_tag: templates("remove_tag", &file.remove_tag.0, compile),
            tag_on_failure,
        }
    }

    /// Whether nothing is done to an event.
    pub(crate) fn is_empty(&self) -> bool {
        self.add_field.is_empty()
            && self.add_tag.is_empty()
            && self.remove_field.is_empty()
            && self.remove_tag.is_empty()
    }

    /// Done where the action succeeded, in Logstash's order.
    pub(crate) fn succeeded<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) {
        for (name, template) in &self.add_field {
            let text = template.render(event, scene.context.received);
            scene.append(event, name.borrowed(), text);
        }
        for name in &self.remove_field {
            remove(event, name);
        }
        for tag in &self.add_tag {
            let tag = tag.render(event, scene.context.received);
            add_tag(event, tag);
        }
        for tag in &self.remove_tag {
            let tag = tag.render(event, scene.context.received).into_owned();
            remove_tag(event, &tag);
        }
    }

    /// Done where the action failed.
    pub(crate) fn failed<'e>(&'e self, event: &mut Event<'e>) {
        for tag in &self.tag_on_failure {
            add_tag(event, tag.as_str());
        }
    }
}

/// Removes a field, and where a name is none of ECS also those below it, but never what only the hub
/// sets.
pub(crate) fn remove(event: &mut Event<'_>, name: &FieldName<'_>) {
    if *name == FieldName::Known(Field::Message) || matches!(name, FieldName::Known(_)) {
        event.retain(|existing| existing != name);
        return;
    }
    event.retain(|existing| {
        let below = existing
            .as_str()
            .strip_prefix(name.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        !below || name::is_read_only(existing)
    });
}
