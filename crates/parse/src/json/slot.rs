//! The names of Windows that ECS fields are made from, found by one look at length and text.

macro_rules! slots {
    ($($length:literal { $($name:ident),* $(,)? })*) => {
        /// A field of a Windows event that has a place of its own while the event is read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        #[expect(non_camel_case_types, reason = "each is the field that its name spells")]
        pub(crate) enum Slot { $($($name),*),* }

        impl Slot {
            /// Every slot.
            pub(crate) const ALL: &'static [Slot] = &[$($(Slot::$name),*),*];

            /// The slot of the field of this name.
            #[inline]
            pub(crate) fn of(name: &str) -> Option<Slot> {
                match name.len() {
                    $($length => match name {
                        $(stringify!($name) => Some(Slot::$name),)*
                        _ => None,
                    },)*
                    _ => None,
                }
            }

            /// The name of the field.
            pub(crate) fn name(self) -> &'static str {
                match self { $($(Slot::$name => stringify!($name)),*),* }
            }
        }
    };
}

slots! {
    4 { Path, Task, User }
    5 { Image, Level }
    6 { Hashes, IpPort, Opcode, Param1, Param2, Param3, Status, UserID }
    7 { Address, Channel, Details, EventID, LogName, LogonId, Message, UtcTime, Version }
    8 { Computer, DestPort, Hostname, Keywords, Protocol, SourceIp, TaskName, ThreadID }
    9 { EventCode, ImagePath, IpAddress, LogonType, MemberSid, ProcessID, ProcessId, QueryName, SubStatus, TargetSid }
    10 { MemberName, ObjectName, ObjectType, SourceName, SourcePort, SourceUser }
    11 { AccountName, Application, CommandLine, DestAddress, ImageLoaded, MachineName, ParentImage, ProcessName, ServiceName, SourceImage, TargetImage, TaskContent, Workstation }
    12 { ComputerName, NewProcessId, ProviderName, RecordNumber, TargetObject }
    13 { AccountDomain, ClientAddress, DestinationIp, EventRecordID, Provider_Name, SourceAddress, TargetLogonId, TargetUserSid }
    14 { NewProcessName, SubjectLogonId, SubjectUserSid, TargetFilename, TargetUserName, TaskContentNew }
    15 { DestinationPort, ObjectValueName, ParentProcessId, ScriptBlockText, ServiceFileName, SourceProcessId, SubcategoryGuid, SubjectUserName, WorkstationName }
    16 { CurrentDirectory, TargetDomainName, TargetServerName }
    17 { ParentCommandLine, ParentProcessName, SubjectDomainName }
    18 { AuditPolicyChanges, Execution_ThreadID, RelativeTargetName }
    19 { DestinationHostname, Execution_ProcessID }
}

/// Where in the list of fields each slot's field is; `None` where the event has none.
#[derive(Clone, Debug)]
pub(crate) struct Slots([u16; Slot::ALL.len()]);

const EMPTY: u16 = u16::MAX;

impl Default for Slots {
    fn default() -> Self {
        Slots([EMPTY; Slot::ALL.len()])
    }
}

impl Slots {
    pub(crate) fn set(&mut self, slot: Slot, place: usize) {
        if let (Some(kept), Ok(place)) = (self.0.get_mut(slot as usize), u16::try_from(place)) {
            *kept = place;
        }
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<usize> {
        self.0.get(slot as usize).filter(|place| **place != EMPTY).map(|place| usize::from(*place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_is_found_by_its_name() {
        for slot in Slot::ALL {
            assert_eq!(Slot::of(slot.name()), Some(*slot), "{}", slot.name());
        }
        assert_eq!(Slot::of("Imagf"), None);
    }
}
