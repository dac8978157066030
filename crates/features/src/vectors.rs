//! Vectors that were learnt elsewhere, by key.

use std::path::{Path, PathBuf};

use fain_tables::{CsvConfig, Record, TableError, TableReader, find_column};

use crate::error::DataError;
use crate::number::{Domain, parse_number};
use crate::schema::Keep;
use crate::sequence::SequenceRule;
use crate::vocabulary::Vocabulary;
use fain_tables::{Term, TermTable};

const KEY: &str = "a key that no row before has, and not empty";
const NUMBER: &str = "a finite number within the range of 32-bit floats";
const WIDTH: &str = "a list as long as that of the first row, with at least one number";

/// Where a table has the keys and the numbers of vectors.
#[derive(Debug, Clone, Copy)]
pub struct VectorColumns<'a> {
    /// Column with the keys.
    pub key: &'a str,
    /// Columns with the numbers.
    pub numbers: NumberColumns<'a>,
}

/// Columns with the numbers of vectors, `D` of them.
#[derive(Debug, Clone, Copy)]
pub enum NumberColumns<'a> {
    /// One column per number, all but that of the keys, in the order of the file.
    Others,
    /// One column per number, in this order.
    Named(&'a [String]),
    /// One column with a list of numbers.
    List {
        /// The column.
        column: &'a str,
        /// Text between two numbers, never empty.
        separator: &'a str,
    },
}

/// Vectors by key, all of one width `D`.
///
/// ```
/// use fain_features::{CsvConfig, NumberColumns, VectorColumns, Vectors};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("vectors.csv");
/// std::fs::write(&path, "item,x,y\nshoe,0.5,1\nhat,-1,2\n")?;
///
/// let columns = VectorColumns { key: "item", numbers: NumberColumns::Others };
/// let vectors = Vectors::read(&[path], &CsvConfig::default(), columns)?;
/// assert_eq!(vectors.get("hat"), Some([-1.0, 2.0].as_slice()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Vectors {
    keys: TermTable,
    /// `[len, D]`, row by row.
    values: Vec<f32>,
    width: usize,
}

/// Vectors in the order of a vocabulary's ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Aligned {
    /// `[V, D]`, row by row: the vector of each id; zeros where there is none.
    pub values: Vec<f32>,
    /// `[V]`: which ids have a vector. That of the unknown has none.
    pub found: Vec<bool>,
}

impl Vectors {
    /// Reads one or more files as one table. `D` is the number of columns, or the length of the first list.
    ///
    /// # Errors
    /// [`TableError`] for files that cannot be read and columns that are missing, and, with file, row and column, for a
    /// key that is empty or was there before, a value that is no number, and a list of another length;
    /// [`DataError::Config`] for no file, no column of numbers, and an empty separator; [`DataError::VocabularyFull`].
    pub fn read(files: &[PathBuf], csv: &CsvConfig, columns: VectorColumns<'_>) -> Result<Self, DataError> {
        if files.is_empty() {
            return Err(config("files", "[]", "at least one file is needed"));
        }
        let mut vectors = Self { keys: TermTable::default(), values: Vec::new(), width: 0 };
        for file in files {
            vectors.read_file(file, csv, columns)?;
        }
        Ok(vectors)
    }

    fn read_file(&mut self, file: &Path, csv: &CsvConfig, columns: VectorColumns<'_>) -> Result<(), DataError> {
        let mut table = TableReader::open(file, csv)?;
        let places = Places::find(columns, table.header(), file)?;
        if let Places { numbers: Numbers::Columns(columns), .. } = &places {
            self.width = columns.len();
        }
        let mut record = Record::new();
        while table.read(&mut record)? {
            let wrong = |place: usize, allowed| {
                let column = table.header().get(place).map_or("", String::as_str);
                record.wrong(column, place, allowed)
            };
            let key = record.get(places.key);
            if key.is_empty() || self.keys.find(Term::new(key)).is_some() {
                return Err(wrong(places.key, KEY).into());
            }
            if self.keys.intern(Term::new(key)).is_none() {
                return Err(DataError::VocabularyFull { feature: columns.key.to_owned(), limit: TermTable::MOST });
            }
            self.add_numbers(&places.numbers, &record, &wrong)?;
        }
        Ok(())
    }

    fn add_numbers(
        &mut self,
        numbers: &Numbers,
        record: &Record,
        wrong: &impl Fn(usize, &'static str) -> TableError,
    ) -> Result<(), DataError> {
        match numbers {
            Numbers::Columns(places) => {
                for &place in places {
                    self.values.push(number(record.get(place)).ok_or_else(|| wrong(place, NUMBER))?);
                }
            }
            Numbers::List(place, list) => {
                let before = self.values.len();
                list.visit(list.kept(record, *place), |text| {
                    self.values.push(number(text.text()).ok_or_else(|| wrong(*place, NUMBER))?);
                    Ok::<(), TableError>(())
                })?;
                let width = self.values.len() - before;
                if self.keys.len() == 1 {
                    self.width = width;
                }
                if width == 0 || width != self.width {
                    return Err(wrong(*place, WIDTH).into());
                }
            }
        }
        Ok(())
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no vectors.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers of each vector, `D`; 0 for lists without rows.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The vector of a key.
    pub fn get(&self, key: &str) -> Option<&[f32]> {
        let start = self.keys.find(Term::new(key))? as usize * self.width;
        self.values.get(start..start + self.width)
    }

    /// The vectors in the order of a vocabulary's ids. Keys that the vocabulary does not have are left out.
    ///
    /// # Errors
    /// [`DataError::Config`] for a vocabulary of hash buckets or intervals, whose ids are not those of terms.
    pub fn align(&self, vocabulary: &Vocabulary) -> Result<Aligned, DataError> {
        if vocabulary.buckets().is_some() || vocabulary.boundaries().is_some() {
            let found = if vocabulary.buckets().is_some() { "hash buckets" } else { "intervals" };
            return Err(config("vocabulary", found, "vectors by key need a vocabulary of terms"));
        }
        let size = vocabulary.size();
        let mut aligned = Aligned { values: vec![0.0; size * self.width], found: vec![false; size] };
        for (term, id) in vocabulary.terms().zip(1..) {
            if let Some(vector) = self.get(term) {
                aligned.values[id * self.width..(id + 1) * self.width].copy_from_slice(vector);
                aligned.found[id] = true;
            }
        }
        Ok(aligned)
    }
}

/// Where a file has keys and numbers.
struct Places {
    key: usize,
    numbers: Numbers,
}

enum Numbers {
    Columns(Vec<usize>),
    List(usize, SequenceRule),
}

impl Places {
    fn find(columns: VectorColumns<'_>, header: &[String], file: &Path) -> Result<Self, DataError> {
        let key = find_column(columns.key, "key", header, file)?;
        let numbers = match columns.numbers {
            NumberColumns::Others => Numbers::Columns((0..header.len()).filter(|&place| place != key).collect()),
            NumberColumns::Named(names) => {
                let places = names.iter().map(|name| find_column(name, "columns", header, file));
                Numbers::Columns(places.collect::<Result<_, _>>()?)
            }
            NumberColumns::List { separator: "", .. } => {
                return Err(config("separator", "\"\"", "at least one character is needed"));
            }
            NumberColumns::List { column, separator } => {
                let place = find_column(column, "column", header, file)?;
                Numbers::List(place, SequenceRule::new(separator, usize::MAX, Keep::First))
            }
        };
        match &numbers {
            Numbers::Columns(places) if places.is_empty() => {
                Err(config("columns", "[]", "at least one column of numbers is needed"))
            }
            _ => Ok(Self { key, numbers }),
        }
    }
}

fn number(text: &str) -> Option<f32> {
    parse_number(text, Domain::All).ok().flatten().map(|value| value as f32)
}

fn config(key: &str, value: &str, allowed: &str) -> DataError {
    DataError::Config { key: key.to_owned(), value: value.to_owned(), allowed: allowed.to_owned() }
}
