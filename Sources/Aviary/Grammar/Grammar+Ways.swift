// The problems of the way and of the mind: getting lost, trapped or blocked, fear and boredom.
extension Grammar {
  static let ways = """
    lost
    problem: {hero} could not find the way home
    problem: {hero} took a wrong turn and got lost
    problem: {hero} looked around and did not know the way home
    attempt: {he} walked in circles and came back to the same stone.
    attempt: {hero} tried one path after another, but none was right.
    attempt: "I want to go home," said {hero}.
    event helped: {friend} knew the way and followed the {+landmark}
    event helped: {friend} showed {hero} the {+landmark} that led the right way
    event helped friend+fly: {friend} flew up high and saw the {+landmark}
    event managed: {hero} saw the {+landmark} and followed it
    event managed hero+fly: {hero} flew up high and saw the {+landmark}
    event failed: {hero} looked for the {+landmark}, but it was nowhere to be seen
    event failed: it grew dark before {hero} found the {+landmark}
    event consoled: {friend} did not know the way either but held on to {hero}
    event consoled: {friend} looked for the {+landmark} but got lost too
    ending helped: the {landmark} led {hero} and {friend} the right way
    ending helped: {hero} found the way by the {landmark} and thanked {friend}
    ending managed: the {landmark} led {hero} the right way
    ending managed: {hero} found the way by the {landmark} and was {glad}
    ending failed: {hero} had to sleep under a bush, alone and {sad}
    ending failed: {hero} was still lost without the {landmark}
    ending consoled: {hero} and {friend} had to sleep under a bush, but they were together
    ending consoled: {hero} was still lost, but {friend} stayed close

    trapped
    problem: {hero} got caught in a {+trap}
    problem: {hero} slipped and got caught in a {+trap}
    problem: {hero} walked into a {+trap} and could not get out
    attempt: {he} pulled and pulled, but the {trap} would not let go.
    attempt: "Help, I am caught," called {hero}.
    attempt: {hero} kicked at the {trap}, but that made it worse.
    event helped: {friend} pulled {hero} out of the {trap}
    event helped: {friend} {manner} opened the {trap} with a stick
    event helped: {friend} held out a branch and pulled {hero} from the {trap}
    event managed: {hero} took a deep breath and wriggled out of the {trap}
    event managed: {hero} {manner} pushed the {trap} aside with a stick
    event failed: {hero} had to wait in the {trap} until the next day
    event failed: nobody heard {hero} in the {trap} all night
    event consoled: {friend} could not open the {trap} but stayed beside {hero} all night
    event consoled: {friend} pulled too, but the {trap} did not open until the next day
    ending helped: {hero} was free again and thanked {friend}
    ending helped: {hero} and {friend} stayed away from the {trap} after that
    ending managed: {hero} was free again and very {glad}
    ending managed: {hero} stayed away from the {trap} after that
    ending failed: {hero} came out of the {trap} cold, tired and {sad}
    ending failed: {hero} got out much too late and cried
    ending consoled: {hero} got out much too late, but {friend} had never left
    ending consoled: {hero} and {friend} came out of the {trap} late, but they came out together

    blocked
    helpless: hero-fly
    problem: a {+barrier} blocked {hero}'s way
    problem: {hero} came to a {+barrier} and could not cross it
    problem: {hero} had to stop at a {+barrier}
    attempt: {he} tried to jump over the {barrier} but fell back.
    attempt: {hero} looked for a way around the {barrier}, but there was none.
    attempt: {hero} said, "I cannot get across."
    event helped: {friend} laid a {+crossing} over the {barrier}
    event helped: {friend} {manner} pulled a {+crossing} across the {barrier}
    event helped: {friend} brought a {+crossing} so that they could cross the {barrier}
    event managed hero-fly: {hero} found a {+crossing} and used it to cross the {barrier}
    event managed hero+fly: {hero} flew over the {barrier}
    event failed: {hero} found a {+crossing}, but it broke in the middle of the {barrier}
    event failed: there was no {+crossing} to be found near the {barrier}
    event consoled: {friend} looked for a {+crossing}, but there was none
    event consoled: {friend} could not cross the {barrier} either and sat down with {hero}
    ending helped: {hero} was on the other side of the {barrier} and thanked {friend}
    ending helped: {hero} and {friend} crossed over and danced on the other side
    ending managed: {hero} was on the other side of the {barrier} and felt {glad}
    ending managed: {hero} reached the other side and cheered
    ending failed: {hero} had to turn back at the {barrier}, cross and {sad}
    ending failed: {hero} never saw the other side of the {barrier}
    ending consoled: {hero} had to turn back at the {barrier}, but {friend} came along
    ending consoled: {hero} and {friend} stayed on this side and had a picnic

    afraid
    problem: {hero} saw a {+fear} and was afraid
    problem: a {+fear} frightened {hero}
    problem: {hero} was scared of a {+fear}
    attempt: {he} hid {+nook} and closed {his} eyes.
    attempt: {hero} tried to be brave, but {his} knees shook.
    attempt: "I am afraid of the {fear}," whispered {hero}.
    event helped: {friend} sang a {+song} to make {hero} brave
    event helped: {friend} walked up to the {fear} and showed {hero} that it was harmless
    event helped: {friend} {manner} chased the {fear} away from {hero}
    event managed: {hero} sang a {+song} to feel brave
    event managed: {hero} walked up to the {fear} and saw that it was harmless
    event failed: the {fear} came closer, and {hero} ran away
    event failed: {hero} could not look at the {fear} and ran off
    event consoled: {friend} was afraid of the {fear} too and hid beside {hero}
    event consoled: {friend} sang a {+song}, but {hero} did not stop shaking
    ending helped: {hero} was not afraid of the {fear} any more, thanks to {friend}
    ending helped: {hero} and {friend} laughed about the {fear}
    ending managed: {hero} was not afraid of the {fear} any more
    ending managed: {hero} laughed about the {fear} and felt {glad}
    ending failed: {hero} was still afraid of the {fear}
    ending failed: {hero} dreamed of the {fear} and was {sad}
    ending consoled: {hero} was still afraid of the {fear}, but {friend} stayed close
    ending consoled: {hero} and {friend} waited together until the {fear} was gone

    bored
    problem: {hero} was bored and did not know what to do
    problem: {hero} had nobody to play with
    problem: {hero} felt bored and yawned
    attempt: {he} counted the stones, but that was boring too.
    attempt: {hero} said, "I have nothing to do."
    attempt: {hero} tried to play alone, but it was no fun.
    event helped: {friend} taught {hero} a game called {+game}
    event helped: {friend} asked {hero} to play {+game}
    event helped: {friend} {manner} showed {hero} how to play {+game}
    event managed: {hero} made up a new kind of {+game}
    event managed: {hero} drew pictures in the dust with a stick
    event failed: nobody wanted to play {+game} with {hero}
    event failed: {hero} waited and waited, but nobody came to play {+game}
    event consoled: {friend} was too tired to play {+game} but sat down beside {hero}
    event consoled: {friend} knew no game either and was bored too
    ending helped: {hero} and {friend} played {game} until dark and were {glad}
    ending helped: {hero} was not bored any more, thanks to {friend}
    ending managed: {hero} had fun and was not bored any more
    ending managed: {hero} was {glad} and laughed until dark
    ending failed: {hero} was still bored and {sad}
    ending failed: {hero} lay down and yawned all alone
    ending consoled: {hero} and {friend} yawned and looked at the sky together
    ending consoled: {hero} was still bored, but {friend} was good company
    """
}
