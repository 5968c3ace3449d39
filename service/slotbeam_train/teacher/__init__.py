"""Teachers: pretrained models that know what texts mean. Training asks them; serving needs none."""

from slotbeam_train.teacher.cached import CachedTeacher
from slotbeam_train.teacher.opening import open_teacher
from slotbeam_train.teacher.protocol import Teacher

__all__ = ["CachedTeacher", "Teacher", "open_teacher"]
