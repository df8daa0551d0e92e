//! What an ELF file says of what it loads: the dynamic section, as the System V ABI has it
//! (gABI, chapter 5).

use object::Endianness;
use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

/// What the loader reads of an executable or a library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Elf {
    /// The processor and the word size; files of another kind cannot be loaded together.
    pub(super) machine: (u16, bool),
    /// The loader, of an executable.
    pub(super) interpreter: Option<String>,
    /// The libraries that it asks for, by name.
    pub(super) needed: Vec<String>,
    /// Where it wants them looked for: `DT_RUNPATH`, or else `DT_RPATH`.
    pub(super) search: Vec<String>,
}

/// Whether bytes look like the start of an ELF file.
pub(super) fn is_elf(start: &[u8]) -> bool {
    start.starts_with(b"\x7fELF")
}

/// Reads an ELF file; `None` for what is none, or is broken.
pub(super) fn read(data: &[u8]) -> Option<Elf> {
    match object::FileKind::parse(data).ok()? {
        object::FileKind::Elf64 => read_as::<FileHeader64<Endianness>>(data, true),
        object::FileKind::Elf32 => read_as::<FileHeader32<Endianness>>(data, false),
        _ => None,
    }
}

fn read_as<H: FileHeader<Endian = Endianness>>(data: &[u8], is_64: bool) -> Option<Elf> {
    let header = H::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, data).ok()?;
    let mut found = Elf { machine: (header.e_machine(endian).0, is_64), ..Elf::default() };
    for segment in segments {
        if let Ok(Some(interpreter)) = segment.interpreter(endian, data) {
            found.interpreter = Some(String::from_utf8_lossy(interpreter).into_owned());
        }
    }
    let dynamic = segments.iter().find_map(|segment| segment.dynamic(endian, data).ok().flatten());
    let Some(dynamic) = dynamic else { return Some(found) };
    let value = |tag: elf::DynamicTag| {
        dynamic.iter().find(|entry| entry.tag(endian) == tag).map(|entry| entry.d_val(endian).into())
    };
    let address: u64 = value(elf::DT_STRTAB)?;
    let size: u64 = value(elf::DT_STRSZ)?;
    let strings =
        segments.iter().find_map(|segment| segment.data_range(endian, data, address, size).ok().flatten())?;
    let text = |offset: u64| {
        let start = usize::try_from(offset).ok()?;
        let bytes = strings.get(start..)?;
        let end = bytes.iter().position(|byte| *byte == 0)?;
        Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
    };
    let texts = |tag: elf::DynamicTag| {
        let entries = dynamic.iter().take_while(|entry| entry.tag(endian) != elf::DT_NULL);
        let wanted = entries.filter(move |entry| entry.tag(endian) == tag);
        wanted.filter_map(|entry| text(entry.d_val(endian).into())).collect::<Vec<_>>()
    };
    found.needed = texts(elf::DT_NEEDED);
    // A file with both has its DT_RPATH ignored.
    let paths = [texts(elf::DT_RUNPATH), texts(elf::DT_RPATH)].into_iter().find(|paths| !paths.is_empty());
    found.search =
        paths.unwrap_or_default().iter().flat_map(|paths| paths.split(':')).map(str::to_owned).collect();
    Some(found)
}

/// The file without what only debuggers and linkers read: symbols, debug information and the
/// table of sections. Nothing that is loaded changes. `None` if there is nothing to drop, or if
/// something follows that is none of the format's (programs that carry their data at their end).
pub(super) fn stripped(data: &[u8]) -> Option<Vec<u8>> {
    if !matches!(object::FileKind::parse(data).ok()?, object::FileKind::Elf64) {
        return None;
    }
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, data).ok()?;
    let ends = segments.iter().map(|segment| segment.p_offset(endian) + segment.p_filesz(endian));
    let loaded = ends.max()?;
    let table_end =
        header.e_shoff(endian) + u64::from(header.e_shnum(endian)) * u64::from(header.e_shentsize(endian));
    let sections = header.section_headers(endian, data).ok()?;
    let section_ends = sections.iter().filter(|section| section.sh_type.get(endian) != elf::SHT_NOBITS);
    let end = section_ends
        .map(|section| section.sh_offset.get(endian) + section.sh_size.get(endian))
        .chain([table_end])
        .max()?;
    if sections.is_empty() || end != data.len() as u64 || loaded >= end {
        return None;
    }
    let mut kept = data.get(..usize::try_from(loaded).ok()?)?.to_vec();
    // e_shoff is at 0x28 of a 64-bit header, e_shnum at 0x3c, e_shstrndx behind it: no sections.
    kept.get_mut(0x28..0x30)?.fill(0);
    kept.get_mut(0x3c..0x40)?.fill(0);
    Some(kept)
}
