------------------------------ MODULE behavior ------------------------------
\* How the service stops: requests come, are answered, and at some point SIGTERM.

EXTENDS Naturals

CONSTANT Most   \* requests at a time; a few show what any number would

VARIABLES state, open
vars == <<state, open>>

Init == state = "running" /\ open = 0

Accept  == state = "running"  /\ open < Most /\ open' = open + 1 /\ UNCHANGED state
Answer  == open > 0 /\ open' = open - 1 /\ UNCHANGED state
SigTerm == state = "running"  /\ state' = "stopping" /\ UNCHANGED open
Exit    == state = "stopping" /\ open = 0 /\ state' = "gone" /\ UNCHANGED open
Gone    == state = "gone"     /\ UNCHANGED vars

Next == Accept \/ Answer \/ SigTerm \/ Exit \/ Gone
Spec == Init /\ [][Next]_vars /\ WF_vars(Answer) /\ WF_vars(Exit)

TypeOK == state \in {"running", "stopping", "gone"} /\ open \in 0..Most

\* A-006: it never goes while a request is open.
NothingLost == state = "gone" => open = 0

\* A-007: once it stops, it accepts nothing more.
NothingNew == [][state /= "running" => open' <= open]_vars

\* A-008: once it stops, it goes.
Stops == state = "stopping" ~> state = "gone"
=============================================================================
