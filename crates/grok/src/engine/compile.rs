//! The tree of an expression → instructions.

use std::collections::HashMap;

use memchr::memmem;
use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::first::{Bytes, First};
use super::program::{CharacterSet, Follow, Instruction, NO_CHOICE, Program, Run};
use super::required;
use crate::error::{GrokError, Place};
use crate::syntax::{Kind, Node, Parsed, width};

impl Program {
    /// Compiles an expression to at most about eight times as many instructions as `max_size`.
    pub(crate) fn compile(parsed: &Parsed, max_size: usize) -> Result<Program, GrokError> {
        let tree = simplified(parsed.tree.clone());
        let mut compiler = Compiler {
            program: Program::default(),
            tables: HashMap::new(),
            lists: HashMap::new(),
            classes: HashMap::new(),
            remembering: true,
            max_size: max_size.saturating_mul(8),
        };
        let first = First::of(&tree);
        compiler.emit(&tree, &First::nothing())?;
        compiler.push(Instruction::Accept)?;
        let mut program = compiler.program;
        program.anchored = anchored(&tree);
        program.required = required::literal(&tree)
            .filter(|text| text.len() > 1)
            .map(|text| memmem::Finder::new(text.as_bytes()).into_owned());
        program.start = (!first.empty).then_some(first.bytes);
        Ok(program)
    }
}

/// Whether a match can only start where the text does: there it is tried first, and what begins by
/// taking anything takes there whatever it would take later.
fn anchored(node: &Node) -> bool {
    match node {
        Node::Assert(crate::syntax::Assertion::TextStart) => true,
        Node::Concat(nodes) => nodes.first().is_some_and(anchored),
        Node::Group { node, .. } => anchored(node),
        Node::Repeat { node, min: 0, max: None, kind: Kind::Greedy | Kind::Lazy } => {
            matches!(&**node, Node::Class(class) if CharacterSet::new(class).all)
        }
        Node::Alternate(nodes) => nodes.iter().all(anchored),
        _ => false,
    }
}

/// Takes away what makes no difference: atomic groups of what can match in one way only.
fn simplified(node: Node) -> Node {
    let list = |nodes: Vec<Node>| nodes.into_iter().map(simplified).collect();
    match node {
        Node::Concat(nodes) => Node::Concat(list(nodes)),
        Node::Alternate(nodes) => Node::Alternate(list(nodes)),
        Node::Group { index, node } => Node::Group { index, node: Box::new(simplified(*node)) },
        Node::Look { behind, negative, node } => {
            Node::Look { behind, negative, node: Box::new(simplified(*node)) }
        }
        Node::Atomic(node) => match simplified(*node) {
            node if single(&node) => node,
            Node::Repeat { node, min, max, kind: Kind::Greedy | Kind::Possessive }
                if matches!(*node, Node::Class(_)) =>
            {
                Node::Repeat { node, min, max, kind: Kind::Possessive }
            }
            node => Node::Atomic(Box::new(node)),
        },
        Node::Repeat { node, min, max, kind } => match (simplified(*node), kind) {
            (node, _) if (min, max) == (1, Some(1)) => node,
            (node, Kind::Possessive) if !matches!(node, Node::Class(_)) => {
                let repeat = Node::Repeat { node: Box::new(node), min, max, kind: Kind::Greedy };
                Node::Atomic(Box::new(repeat))
            }
            // One character is a set of one.
            (Node::Literal(text), kind) => {
                let mut characters = text.chars();
                let node = match (characters.next(), characters.next()) {
                    (Some(only), None) => {
                        Node::Class(ClassUnicode::new([ClassUnicodeRange::new(only, only)]))
                    }
                    _ => Node::Literal(text),
                };
                simplified_repeat(node, min, max, kind)
            }
            (node, kind) => simplified_repeat(node, min, max, kind),
        },
        node => node,
    }
}

fn simplified_repeat(node: Node, min: u32, max: Option<u32>, kind: Kind) -> Node {
    Node::Repeat { node: Box::new(node), min, max, kind }
}

/// Whether a part can match in one way only wherever it does.
fn single(node: &Node) -> bool {
    match node {
        Node::Empty | Node::Literal(_) | Node::Class(_) | Node::Assert(_) => true,
        Node::Concat(nodes) => nodes.iter().all(single),
        Node::Group { node, .. } => single(node),
        Node::Repeat { node, min, max, kind } => {
            let class = matches!(**node, Node::Class(_));
            (class && *kind == Kind::Possessive) || (*max == Some(*min) && single(node))
        }
        Node::Atomic(_) | Node::Look { .. } => true,
        _ => false,
    }
}

struct Compiler {
    program: Program,
    tables: HashMap<Box<[u16; 257]>, u32>,
    lists: HashMap<Box<[u16]>, u16>,
    classes: HashMap<Vec<(char, char)>, u32>,
    /// Whether choices are remembered here.
    remembering: bool,
    max_size: usize,
}

impl Compiler {
    fn too_large(&self) -> GrokError {
        GrokError::TooLarge { place: Place { pattern: None, column: 1 } }
    }

    fn number(&self, number: usize) -> Result<u32, GrokError> {
        u32::try_from(number).map_err(|_| self.too_large())
    }

    /// Adds an instruction and returns its place.
    fn push(&mut self, instruction: Instruction) -> Result<usize, GrokError> {
        if self.program.instructions.len() >= self.max_size {
            return Err(self.too_large());
        }
        self.program.instructions.push(instruction);
        Ok(self.program.instructions.len() - 1)
    }

    fn here(&self) -> Result<u32, GrokError> {
        self.number(self.program.instructions.len())
    }

    fn set(&mut self, at: usize, instruction: Instruction) {
        if let Some(place) = self.program.instructions.get_mut(at) {
            *place = instruction;
        }
    }

    fn choice(&mut self) -> u32 {
        if !self.remembering {
            return NO_CHOICE;
        }
        self.program.choices += 1;
        self.program.choices - 1
    }

    fn class(&mut self, class: &ClassUnicode) -> Result<u32, GrokError> {
        let ranges: Vec<_> = class.iter().map(|range| (range.start(), range.end())).collect();
        if let Some(known) = self.classes.get(&ranges) {
            return Ok(*known);
        }
        let id = self.number(self.program.classes.len())?;
        self.program.classes.push(CharacterSet::new(class));
        self.classes.insert(ranges, id);
        Ok(id)
    }

    /// Adds the instructions of a part; `follow` is what can come after it.
    fn emit(&mut self, node: &Node, follow: &First) -> Result<(), GrokError> {
        match node {
            Node::Empty => {}
            Node::Literal(text) => {
                match text.as_bytes() {
                    [] => {}
                    [byte] => drop(self.push(Instruction::Byte(*byte))?),
                    bytes => drop(self.push(Instruction::Literal(bytes.into()))?),
                };
            }
            Node::Class(class) => {
                let class = self.class(class)?;
                self.push(Instruction::Class(class))?;
            }
            Node::Concat(nodes) => self.concat(nodes, follow)?,
            Node::Alternate(nodes) => self.alternate(nodes, follow)?,
            Node::Repeat { node, min, max, kind } => match &**node {
                Node::Class(class) => self.run(class, *min, *max, *kind, follow)?,
                node => self.repeat(node, *min, *max, *kind, follow)?,
            },
            Node::Group { index, node } => {
                let slot = self.number(*index * 2)?;
                self.push(Instruction::Save(slot))?;
                self.emit(node, follow)?;
                self.push(Instruction::Save(slot + 1))?;
            }
            Node::Atomic(node) => {
                let at = self.push(Instruction::Accept)?;
                self.apart(node)?;
                let end = self.here()?;
                self.set(at, Instruction::Atomic { end });
            }
            Node::Look { behind, negative, node } => self.look(*behind, *negative, node)?,
            Node::Assert(assertion) => drop(self.push(Instruction::Assert(*assertion))?),
            Node::Backreference { groups, ignore_case } => {
                self.program.backreferences = true;
                let groups =
                    groups.iter().map(|group| self.number(*group)).collect::<Result<_, _>>()?;
                self.push(Instruction::Backreference { groups, ignore_case: *ignore_case })?;
            }
        }
        Ok(())
    }

    /// Adds what is matched on its own: what comes after has no say in it.
    fn apart(&mut self, node: &Node) -> Result<(), GrokError> {
        self.emit(node, &First::nothing())?;
        self.push(Instruction::Accept)?;
        Ok(())
    }

    fn look(&mut self, behind: bool, negative: bool, node: &Node) -> Result<(), GrokError> {
        if let Node::Class(class) = node {
            let class = self.class(class)?;
            self.push(match behind {
                true => Instruction::Last { class, negative },
                false => Instruction::Next { class, negative },
            })?;
            return Ok(());
        }
        let at = self.push(Instruction::Accept)?;
        if behind {
            // Where it has to end is a condition of its own, so what failed may match another time.
            let remembering = std::mem::replace(&mut self.remembering, false);
            self.apart(node)?;
            self.remembering = remembering;
        } else {
            self.apart(node)?;
        }
        let end = self.here()?;
        let (min, max) = width(node);
        self.set(
            at,
            match behind {
                true => Instruction::Behind { negative, min, max: max.unwrap_or(min), end },
                false => Instruction::Ahead { negative, end },
            },
        );
        Ok(())
    }

    fn concat(&mut self, nodes: &[Node], follow: &First) -> Result<(), GrokError> {
        // What can come after each, from the last to the first.
        let mut follows = vec![follow.clone()];
        for node in nodes.iter().skip(1).rev() {
            if let Some(next) = follows.last() {
                let first = First::of(node).then(next);
                follows.push(first);
            }
        }
        for (node, follow) in nodes.iter().zip(follows.iter().rev()) {
            self.emit(node, follow)?;
        }
        Ok(())
    }

    /// Adds a choice of ways, tried in their order, by what each can begin with. Returns its place and
    /// that of its targets, which are still to be [led](Self::lead) somewhere.
    fn switch(&mut self, firsts: &[First]) -> Result<(usize, usize), GrokError> {
        let at = self.push(Instruction::Accept)?;
        let targets = self.program.targets.len();
        self.program.targets.resize(targets + firsts.len(), 0);
        let mut table = Box::new([0u16; 257]);
        let mut ways: Vec<u16> = Vec::new();
        for (byte, entry) in table.iter_mut().enumerate() {
            ways.clear();
            for (way, first) in (0u16..).zip(firsts) {
                if first.empty || u8::try_from(byte).is_ok_and(|byte| first.bytes.contains(byte)) {
                    ways.push(way);
                }
            }
            *entry = self.list(&ways)?;
        }
        let table = match self.tables.get(&table) {
            Some(known) => *known,
            None => {
                let id = self.number(self.program.tables.len())?;
                self.program.tables.push(*table);
                self.tables.insert(table, id);
                id
            }
        };
        let choice = self.choice();
        let first = self.number(targets)?;
        self.set(at, Instruction::Switch { targets: first, table, choice });
        Ok((at, targets))
    }

    fn list(&mut self, ways: &[u16]) -> Result<u16, GrokError> {
        if let Some(known) = self.lists.get(ways) {
            return Ok(*known);
        }
        let id = u16::try_from(self.program.lists.len()).map_err(|_| self.too_large())?;
        self.program.lists.push(ways.into());
        self.lists.insert(ways.into(), id);
        Ok(id)
    }

    /// Lets a way of a switch lead to what is added next.
    fn lead(&mut self, target: usize) -> Result<(), GrokError> {
        let here = self.here()?;
        if let Some(target) = self.program.targets.get_mut(target) {
            *target = here;
        }
        Ok(())
    }

    fn alternate(&mut self, nodes: &[Node], follow: &First) -> Result<(), GrokError> {
        if nodes.len() > usize::from(u16::MAX) {
            return Err(self.too_large());
        }
        let firsts: Vec<First> = nodes.iter().map(|node| First::of(node).then(follow)).collect();
        let (_, targets) = self.switch(&firsts)?;
        let mut jumps = Vec::new();
        for (way, node) in nodes.iter().enumerate() {
            self.lead(targets + way)?;
            self.emit(node, follow)?;
            if way + 1 < nodes.len() {
                jumps.push(self.push(Instruction::Accept)?);
            }
        }
        let end = self.here()?;
        for jump in jumps {
            self.set(jump, Instruction::Jump(end));
        }
        Ok(())
    }

    /// A run of one set.
    fn run(
        &mut self,
        class: &ClassUnicode,
        min: u32,
        max: Option<u32>,
        kind: Kind,
        follow: &First,
    ) -> Result<(), GrokError> {
        if max == Some(0) {
            return Ok(());
        }
        let id = self.class(class)?;
        let mut leads = Bytes::default();
        for range in class.iter() {
            leads.insert(super::first::lead(range.start()), super::first::lead(range.end()));
        }
        let kind = match kind {
            // Where nothing in the set can come after, only the whole run can be right.
            Kind::Greedy if !follow.empty && !follow.bytes.overlaps(&leads) => Kind::Possessive,
            kind => kind,
        };
        let follow = match &follow.text {
            Some(text) if text.len() > 1 && kind == Kind::Lazy => {
                Follow::Literal(Box::new(memmem::Finder::new(text.as_bytes()).into_owned()))
            }
            _ if follow.empty => Follow::Any,
            _ => match follow.bytes.only() {
                Some(byte) => Follow::One(byte),
                None => Follow::Some(Box::new(follow.bytes.clone())),
            },
        };
        let choice = match kind {
            Kind::Possessive => NO_CHOICE,
            _ => self.choice(),
        };
        let run = Run { class: id, min, max: max.unwrap_or(u32::MAX), kind, follow, choice };
        let run_id = self.number(self.program.runs.len())?;
        self.program.runs.push(run);
        self.push(Instruction::Run(run_id))?;
        Ok(())
    }

    fn repeat(
        &mut self,
        node: &Node,
        min: u32,
        max: Option<u32>,
        kind: Kind,
        follow: &First,
    ) -> Result<(), GrokError> {
        let again = First::of(node).then(follow).or(follow);
        let nullable = First::of(node).empty;
        let order = |body: First, exit: First| match kind {
            Kind::Lazy => ([exit, body], 1, 0),
            _ => ([body, exit], 0, 1),
        };
        let body_first = || First::of(node).then(&again);
        // All but the last round that has to be.
        let fixed = match max {
            None => min.saturating_sub(1),
            Some(_) => min,
        };
        for _ in 0..fixed {
            self.emit(node, &again)?;
        }
        let Some(max) = max else {
            let register = self.program.registers;
            let mut exit_if_empty = None;
            let mut entry = None;
            if min == 0 {
                let (ways, body, exit) = order(body_first(), follow.clone());
                let (at, targets) = self.switch(&ways)?;
                entry = Some((at, targets + exit));
                self.lead(targets + body)?;
            }
            let start = self.here()?;
            if nullable {
                self.program.registers += 1;
                self.push(Instruction::Mark(register))?;
            }
            self.emit(node, &again)?;
            if nullable {
                exit_if_empty = Some(self.push(Instruction::Accept)?);
            }
            match entry {
                Some((at, exit)) => {
                    let at = self.number(at)?;
                    self.push(Instruction::Jump(at))?;
                    self.lead(exit)?;
                }
                None => {
                    let (ways, body, exit) = order(body_first(), follow.clone());
                    let (_, targets) = self.switch(&ways)?;
                    if let Some(target) = self.program.targets.get_mut(targets + body) {
                        *target = start;
                    }
                    self.lead(targets + exit)?;
                }
            }
            if let Some(at) = exit_if_empty {
                let exit = self.here()?;
                self.set(at, Instruction::ExitIfEmpty { register, exit });
            }
            return Ok(());
        };
        let mut exits = Vec::new();
        for _ in min..max {
            let (ways, body, exit) = order(body_first(), follow.clone());
            let (_, targets) = self.switch(&ways)?;
            exits.push(targets + exit);
            self.lead(targets + body)?;
            self.emit(node, &again)?;
        }
        for exit in exits {
            self.lead(exit)?;
        }
        Ok(())
    }
}
