/** Short messages of what was done or went wrong, which go by themselves. */

export interface Notice {
  id: number;
  text: string;
  isError: boolean;
}

const STAYS = 8_000;
let last = 0;

class Notices {
  list = $state<Notice[]>([]);

  say(text: string, isError = false): void {
    last += 1;
    const id = last;
    this.list.push({ id, text, isError });
    setTimeout(() => this.drop(id), STAYS);
  }

  drop(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }
}

export const notices = new Notices();
