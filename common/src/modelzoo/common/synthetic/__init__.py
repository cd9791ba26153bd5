"""Drawn pedestrians: small, deterministic pictures of people for demos and tests.

A picture is drawn from three independent descriptions: a `Person` (who: clothes, hair, build), a `Camera`
(where: scene, light, viewpoint, noise) and a `Pose` (when: walking phase, direction, occluder). Nothing is
photographed, so nothing needs a licence, and the same inputs give the same bytes on every run.

Below the pictures stand `skeleton`, the jointed body in space, and `gait`, how it walks; they serve other figures too.
"""

from modelzoo.common.synthetic.camera import Camera
from modelzoo.common.synthetic.figure import joints
from modelzoo.common.synthetic.person import Person
from modelzoo.common.synthetic.picture import draw_person
from modelzoo.common.synthetic.pose import Pose
from modelzoo.common.synthetic.skeleton import JOINT_NAMES

__all__ = ["JOINT_NAMES", "Camera", "Person", "Pose", "draw_person", "joints"]
