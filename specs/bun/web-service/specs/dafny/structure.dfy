// What is true of the links at any single moment.

module Structure {
  datatype Link = Link(id: string, url: string, title: string)

  // A-001: each link is found under its own id, so no two share one.
  predicate Valid(links: map<string, Link>) {
    forall id :: id in links ==> links[id].id == id
  }

  method Keep(links: map<string, Link>, link: Link) returns (kept: map<string, Link>)
    requires Valid(links)
    ensures Valid(kept)
    ensures kept == links[link.id := link]
  {
    kept := links[link.id := link];
  }

  // A-002: what was removed is gone, the others stay.
  method Remove(links: map<string, Link>, id: string) returns (kept: map<string, Link>)
    requires Valid(links)
    ensures Valid(kept)
    ensures id !in kept
    ensures forall other :: other in links && other != id ==> other in kept && kept[other] == links[other]
  {
    kept := map other | other in links && other != id :: links[other];
  }
}
