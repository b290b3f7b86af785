/** Whether the hub answers. */

class Reach {
  isLost = $state(false);
}

export const reach = new Reach();
