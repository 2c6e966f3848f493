//! Groups and fields.

/// A named group of fields and further groups, in file order. Names are upper case.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// Group name.
    pub name: String,
    /// Field names and values; quotes are gone.
    pub fields: Vec<(String, String)>,
    /// Groups within.
    pub groups: Vec<Group>,
}

impl Group {
    /// An empty group.
    pub fn new(name: &str) -> Self {
        Self { name: name.trim().to_ascii_uppercase(), ..Self::default() }
    }

    /// The group of this name directly within.
    pub fn group(&self, name: &str) -> Option<&Self> {
        self.groups.iter().find(|g| g.name == name)
    }

    /// The value of a field of this group. Values that are blank count as absent.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|v| !v.is_empty())
    }

    /// Adds a field.
    pub fn push(&mut self, name: &str, value: &str) {
        self.fields.push((name.trim().to_ascii_uppercase(), value.trim().to_owned()));
    }
}
