//! Events of Windows hosts: flat, with the names that Windows gives to the fields.

mod programs;
mod security;
mod sysmon;

use super::World;
use super::object::Object;
pub(super) use sysmon::process_creation;

/// One event, in the proportions of an office network with Sysmon and an audit policy.
pub(super) fn event(object: &mut Object, world: &mut World) {
    match world.random.below(1000) {
        0..270 => sysmon::process_creation(object, world),
        270..400 => sysmon::network_connection(object, world),
        400..500 => sysmon::image_load(object, world),
        500..570 => sysmon::process_access(object, world),
        570..650 => sysmon::file_event(object, world),
        650..760 => sysmon::registry_set(object, world),
        760..820 => sysmon::dns_query(object, world),
        820..860 => security::logon(object, world),
        860..870 => security::failed_logon(object, world),
        870..890 => security::special_privileges(object, world),
        890..930 => security::process_creation(object, world),
        930..970 => security::permitted_connection(object, world),
        970..999 => security::script_block(object, world),
        _ => security::new_service(object, world),
    }
}

/// Where a record was written: what Windows puts around the data of every event.
struct System {
    id: u64,
    channel: &'static str,
    provider: &'static str,
    task: u64,
    keywords: &'static str,
    category: &'static str,
    service: &'static str,
}

fn system(object: &mut Object, world: &mut World, system: &System) {
    object.text("@timestamp", &world.now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string());
    object.log_source("windows", system.category, system.service);
    object.text("Provider_Name", system.provider);
    object.number("EventID", system.id);
    object.number("Version", 5);
    object.number("Level", 4);
    object.number("Task", system.task);
    object.text("Keywords", system.keywords);
    object.number("EventRecordID", world.record);
    object.number("ExecutionProcessID", 2000 + world.host * 4);
    object.number("ThreadID", 4 * (500 + world.random.below(200)));
    object.text("Channel", system.channel);
    object.text("Computer", &format!("pc{:03}.corp.example.com", world.host));
}

fn utc_time(object: &mut Object, world: &World) {
    object.text("UtcTime", &world.now.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string());
}

fn process_guid(world: &mut World) -> String {
    format!("{{{}}}", world.guid())
}

fn program(world: &mut World) -> &'static programs::Program {
    let table = if world.attack { programs::ATTACKS } else { programs::BENIGN };
    // The first programs of the table start the most.
    let length = table.len() as u64;
    let index = world.random.below(length).min(world.random.below(length));
    let index = usize::try_from(index).unwrap_or(0);
    table.get(index).unwrap_or(&programs::FALLBACK)
}
