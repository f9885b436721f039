/** ffmpeg, publishing over RTMP as OBS would. */

import { spawn, type ChildProcess } from 'node:child_process';

export class Publisher {
  private readonly child: ChildProcess;
  /** It has published all, or cannot go on. */
  readonly done: Promise<void>;

  /** In real time, picture for picture, with the file's own times. */
  constructor(file: string, url: string) {
    const input = ['-hide_banner', '-loglevel', 'error', '-re', '-copyts', '-i', file];
    this.child = spawn('ffmpeg', [...input, '-c', 'copy', '-avoid_negative_ts', 'disabled', '-f', 'flv', url], { stdio: 'ignore' });
    this.done = new Promise((resolve) => this.child.once('close', () => resolve()).once('error', () => resolve()));
  }

  /** Its connection breaks. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.done;
  }
}
