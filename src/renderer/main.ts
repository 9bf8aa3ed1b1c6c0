import '@fontsource-variable/inter/wght.css';
import './theme/tokens.css';
import './theme/base.css';
import './theme/controls.css';
import { mount } from 'svelte';
import App from './app.svelte';
import { createClient } from './client.ts';
import { createEditor } from './editor/editor.svelte.ts';
import { Workspace } from './state/workspace.svelte.ts';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no element with the id "app".');

const client = createClient();
const workspace = new Workspace(client, createEditor(client));
mount(App, { target, props: { workspace } });
void workspace.start();
