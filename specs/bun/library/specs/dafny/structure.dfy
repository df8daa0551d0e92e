// Why the parts add up: what is rounded is how much has been given out so far.

module Structure {
  function Sum(s: seq<nat>): nat {
    if |s| == 0 then 0 else Sum(s[..|s| - 1]) + s[|s| - 1]
  }

  // Less than one unit off the exact share, which is units * weight / total.
  predicate Fair(part: nat, weight: nat, units: nat, total: nat) {
    part * total < units * weight + total && units * weight < part * total + total
  }

  // A-001: the parts add up to the amount. A-002: each of them is fair.
  method Split(units: nat, weights: seq<nat>, total: nat) returns (parts: seq<nat>)
    requires total == Sum(weights) > 0
    ensures |parts| == |weights|
    ensures Sum(parts) == units
    ensures forall i :: 0 <= i < |parts| ==> Fair(parts[i], weights[i], units, total)
  {
    var weighed: nat, given: nat, i: nat := 0, 0, 0;
    parts := [];
    while i < |weights|
      invariant i <= |weights| && |parts| == i
      invariant weighed == Sum(weights[..i])
      invariant Floor(units * weighed, total, given)
      invariant Sum(parts) == given
      invariant forall j :: 0 <= j < i ==> Fair(parts[j], weights[j], units, total)
    {
      assert weights[..i + 1][..i] == weights[..i];
      var next := weighed + weights[i];
      Distribute(units, weighed, weights[i]);
      var soFar := Divide(units * next, total);
      Between(units * weighed, units * next, total, given, soFar);
      var part := soFar - given;
      assert (parts + [part])[..i] == parts;
      parts, weighed, given, i := parts + [part], next, soFar, i + 1;
    }
    assert weights[..i] == weights;
    FloorOfWhole(units, total, given);
  }

  predicate Floor(a: nat, d: nat, q: nat) {
    q * d <= a < q * d + d
  }

  method Divide(a: nat, d: nat) returns (q: nat)
    requires d > 0
    ensures Floor(a, d, q)
  {
    q := a / d;
    assert a == d * q + a % d;
  }

  lemma Distribute(a: nat, b: nat, c: nat)
    ensures a * (b + c) == a * b + a * c
  {
  }

  lemma Between(a: nat, b: nat, d: nat, p: nat, q: nat)
    requires a <= b && Floor(a, d, p) && Floor(b, d, q)
    ensures p <= q
    ensures (q - p) * d < b - a + d && b - a < (q - p) * d + d
  {
    assert (q - p) * d == q * d - p * d;
    if p > q {
      assert (p - q - 1) * d >= 0;
      assert (p - q - 1) * d == p * d - q * d - d;
    }
  }

  lemma FloorOfWhole(u: nat, d: nat, q: nat)
    requires d > 0 && Floor(u * d, d, q)
    ensures q == u
  {
    if q < u {
      assert (u - q - 1) * d >= 0;
      assert (u - q - 1) * d == u * d - q * d - d;
    }
    if q > u {
      assert (q - u - 1) * d >= 0;
      assert (q - u - 1) * d == q * d - u * d - d;
    }
  }
}
