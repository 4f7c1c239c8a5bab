// The problems about an object that is out of its owner's reach.
extension Grammar {
  // The endings shared by all problems in which the object is lost.
  static let lossEndings = """
    ending helped: {hero} had the {colour} {object} again and thanked {friend}
    ending helped: {hero} hugged {friend} and held the {colour} {object} tight
    ending helped: {hero} was {glad} to have the {colour} {object} back and thanked {friend}
    ending helped: {hero} let {friend} {use} the {colour} {object} too
    ending managed: {hero} held the {colour} {object} tight and was very {glad}
    ending managed: {hero} was {glad} to have the {colour} {object} back
    ending managed: {hero} took better care of the {colour} {object} from then on
    ending failed: {hero} had to leave without the {colour} {object}
    ending failed: {hero} never saw the {colour} {object} again
    ending failed: {hero} was {sad} because the {colour} {object} was gone
    ending consoled: {hero} missed the {colour} {object} but was glad that {friend} was there
    ending consoled: the {colour} {object} was gone, but {hero} still had {friend}
    ending consoled: {hero} lost the {colour} {object} but kept a friend like {friend}
    """

  static let losses = """
    stuck
    helpless: hero-fly-climb
    problem: {hero}'s {colour} {object} got stuck on top of the {+height}
    problem: {hero} lost hold of the {colour} {object}, and it landed on the {+height}
    problem: {hero} threw the {colour} {object} too far, and it got stuck on the {+height}
    problem: the {colour} {object} slipped away from {hero} and was blown onto the {+height}
    attempt: {hero} jumped and jumped, but the {height} was too tall.
    attempt: {he} could not reach the {object}, no matter how {he} stretched.
    attempt: {hero} threw a stick at the {height}, but the {object} did not move.
    attempt: "I cannot reach my {object}," said {hero}.
    event helped friend+fly: {friend} flew up to the {height} and brought the {object} down
    event helped friend+fly: {friend} spread {friend.his} wings and picked the {object} off the {height}
    event helped friend+climb: {friend} climbed the {height} and carried the {object} down
    event helped friend+climb: {friend} {manner} climbed up and took the {object} off the {height}
    event helped friend+person: {friend} fetched a ladder and took the {object} off the {height}
    event helped friend+person: {friend} used a long pole to get the {object} off the {height}
    event managed hero+fly: {hero} flew up to the {height} and picked up the {object}
    event managed hero+climb: {hero} {manner} climbed the {height} and got the {object}
    event managed hero+person: {hero} found a ladder and took the {object} off the {height}
    event failed: the {object} stayed on the {height}, and nobody came to help
    event failed: {hero} waited under the {height}, but the {object} did not come down
    event consoled friend-fly-climb-person: {friend} could not reach the {height} but stayed with {hero}
    event consoled friend-fly-climb-person: {friend} shook the {height}, but the {object} did not come down
    ending helped: the {height} was empty, and {hero} and {friend} played with the {colour} {object}
    ending failed: {hero} looked back at the {colour} {object} on the {height} and was {sad}

    sunk
    helpless: hero-fly-swim
    premise: place+shore+fresh
    problem: {hero}'s {colour} {object} fell into the {+water}
    problem: {hero} dropped the {colour} {object} into the {+water}
    problem: the {colour} {object} slipped away from {hero} into the {+water}
    problem: {hero} let go of the {colour} {object}, and it sank into the {+water}
    attempt: {hero} could not swim, and the {water} looked deep.
    attempt: {he} reached for the {object} with a stick, but the stick was too short.
    attempt: "My {object} is in the {water}," cried {hero}.
    event helped friend+swim: {friend} jumped into the {water} and brought the {object} back
    event helped friend+swim: {friend} {manner} swam out and pulled the {object} from the {water}
    event helped friend+fly: {friend} flew over the {water} and picked up the {object}
    event helped friend+person: {friend} took a net and lifted the {object} out of the {water}
    event managed hero+swim: {hero} swam into the {water} and brought the {object} back
    event managed hero+fly: {hero} flew low over the {water} and caught the {object}
    event managed hero+person: {hero} pulled the {object} out of the {water} with a hook
    event failed: the {object} drifted away in the {water}
    event failed: the {water} carried the {object} far away
    event consoled friend-fly-swim: {friend} could not swim either, and the {water} took the {object}
    event consoled friend-fly-swim: {friend} reached for the {object} too, but it sank in the {water}
    ending helped: {hero} shook the water off the {colour} {object} and thanked {friend}
    ending managed: {hero} dried the {colour} {object} and was {glad}

    fallen
    helpless: hero-dig-climb
    problem: {hero}'s {colour} {object} fell into a {+hole}
    problem: {hero} dropped the {colour} {object} down a {+hole}
    problem: the {colour} {object} slipped away from {hero} and vanished in a {+hole}
    attempt: {he} could not reach the bottom of the {hole}.
    attempt: the {hole} was dark, and {hero} could not see the {object}.
    attempt: "My {object} is in the {hole}," cried {hero}.
    event helped friend+dig: {friend} dug beside the {hole} until the {object} came out
    event helped friend+dig: {friend} {manner} dug down and pulled the {object} out of the {hole}
    event helped friend+climb: {friend} climbed into the {hole} and carried the {object} out
    event helped friend+person: {friend} let down a hook and pulled the {object} out of the {hole}
    event managed hero+dig: {hero} dug beside the {hole} until the {object} came out
    event managed hero+climb: {hero} {manner} climbed into the {hole} and got the {object}
    event managed hero+person: {hero} let down a hook and pulled the {object} out of the {hole}
    event failed: the {hole} was too deep, and the {object} stayed at the bottom
    event failed: the sides of the {hole} fell in and covered the {object}
    event consoled friend-dig-climb-person: {friend} looked into the {hole} too, but it was too deep
    event consoled friend-dig-climb-person: {friend} lay down beside the {hole} but could not get the {object}
    ending helped: {hero} brushed the dirt off the {colour} {object} and thanked {friend}
    ending managed: {hero} covered the {hole} and kept the {colour} {object} safe

    missing
    problem: {hero} could not find {his} {colour} {object} anywhere
    problem: {hero}'s {colour} {object} was suddenly gone
    problem: {hero} looked around and saw that the {colour} {object} was missing
    problem: {hero} noticed that {his} {colour} {object} was not there any more
    attempt: {he} looked up and down, but the {object} was not there.
    attempt: {hero} asked everyone about the {object}, but nobody had seen it.
    attempt: {hero} said, "I must find my {object}."
    event helped: {friend} looked {+nook} and found the {object}
    event helped: {friend} saw something {colour} {+nook}, and it was the {object}
    event helped: {friend} helped to search and saw the {object} {+nook}
    event managed: {hero} looked {+nook} and found the {object}
    event managed: {hero} thought {manner} for a while and then saw the {object} {+nook}
    event failed: {hero} searched {+nook}, but the {object} was not there
    event failed: night came, and the {object} was still missing
    event consoled: {friend} searched {+nook}, but there was no {object}
    event consoled: {friend} helped to look for hours, but the {object} did not turn up
    ending helped: {hero} never left the {colour} {object} {nook} again and thanked {friend}
    ending managed: {hero} never left the {colour} {object} {nook} again

    stolen
    problem: a {+thief} grabbed {hero}'s {colour} {object} and ran off
    problem: a {+thief} stole the {colour} {object} from {hero}
    problem: a {+thief} took {hero}'s {colour} {object} without asking
    attempt: {hero} shouted at the {thief}, but it only laughed.
    attempt: {he} ran after the {thief}, but it was too fast.
    attempt: "Give me my {object}," cried {hero}.
    event helped: {friend} stopped the {thief} and took the {object} back
    event helped: {friend} {manner} talked to the {thief}, and it gave the {object} back
    event helped: {friend} gave the {thief} some {+food}, and it dropped the {object}
    event managed: {hero} gave the {thief} some {+food} and got the {object} back
    event managed: {hero} waited until the {thief} slept and took the {object} back
    event failed: the {thief} hid the {object} and never came back
    event failed: the {thief} carried the {object} far away
    event consoled: {friend} chased the {thief}, but it got away with the {object}
    event consoled: {friend} asked the {thief} to stop, but it kept the {object}
    ending helped: the {thief} said sorry, and {hero} shared the {colour} {object} with {friend}
    ending managed: {hero} kept the {colour} {object} away from every {thief}
    ending failed: the {thief} had the {colour} {object}, and {hero} was {sad}

    broken
    premise: object+breakable
    problem: {hero}'s {colour} {object} broke in two
    problem: {hero} dropped the {colour} {object}, and it broke
    problem: {hero} fell down and broke the {colour} {object}
    problem: the {colour} {object} slipped away from {hero} and broke
    attempt: {hero} tried to fix the {object}, but the pieces fell apart.
    attempt: {he} did not know how to mend the {object}.
    attempt: "My {object} is broken," said {hero}.
    event helped: {friend} mended the {object} with {+repair}
    event helped: {friend} found some {+repair} and {manner} fixed the {object}
    event helped: {friend} put the pieces of the {object} together with {+repair}
    event managed: {hero} found some {+repair} and mended the {object}
    event managed: {hero} worked {manner} with {+repair} until the {object} was whole
    event failed: {hero} tried some {+repair}, but the {object} stayed broken
    event failed: the pieces of the {object} were too small to mend
    event consoled: {friend} tried to fix the {object} with {+repair}, but it broke again
    event consoled: {friend} could not mend the {object} either but gave {hero} a hug
    ending helped: the {colour} {object} was as good as new, and {hero} thanked {friend}
    ending helped: {hero} could {use} the {colour} {object} again with {friend}
    ending helped: thanks to the {repair}, {hero} and {friend} could {use} the {colour} {object}
    ending managed: the {colour} {object} was as good as new, and {hero} was {glad}
    ending managed: {hero} could {use} the {colour} {object} again
    ending managed: the {repair} held, and {hero} could {use} the {colour} {object} again
    ending failed: {hero} put the broken {colour} {object} away and was {sad}
    ending failed: {hero} could not {use} the {colour} {object} any more
    ending consoled: the {colour} {object} stayed broken, but {friend} made {hero} smile
    ending consoled: {hero} kept the pieces of the {colour} {object} and went to play with {friend}
    """
}
